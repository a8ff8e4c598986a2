// SPDX-License-Identifier: Apache-2.0
// The report of a plan, a migration or a batch: plain values and their three forms. docs/report.schema.json is
// the JSON form's schema.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/machine.hpp"

namespace ferry::report {

inline constexpr std::string_view kSchema = "virt-ferry-report/1";

struct Disk {
  std::string source;              // the attached image
  std::vector<std::string> chain;  // image files, base first
  std::string format;              // "vdi dynamic"
  std::uint64_t virtual_size = 0;  // bytes
  std::uint64_t allocated = 0;     // bytes
  std::string target, engine;
  std::optional<std::string> sha256;  // of the guest content, after --verify
};

struct Nic {
  std::string mac, model, network;
  std::optional<std::string> guest_name;
  std::vector<std::string> forwards = {};  // "tcp 127.0.0.1:2222 -> 22": of the host, to the guest
};

struct SnapshotLine {
  std::string name, id, description;
  std::optional<std::int64_t> created;
  std::optional<std::string> parent;  // the parent's name
  bool current = false;
};

// What a machine is made of on one side of the move, in words: for the picture.
struct Parts {
  std::string board;  // "PIIX3, BIOS"
  struct Controller {
    std::string name;                 // "SATA (AHCI)"
    std::vector<std::string> drives;  // "web.vdi, 20 GiB"
    bool operator==(const Controller &) const = default;
  };
  struct Card {
    std::string name, network;  // "e1000 08:00:27:c0:ff:ee", "NAT"
    bool operator==(const Card &) const = default;
  };
  std::vector<Controller> controllers;
  std::vector<Card> cards;
  bool operator==(const Parts &) const = default;
};
struct Picture {
  Parts before, after;
  bool operator==(const Picture &) const = default;
};

enum class Status { planned, migrated, skipped, refused, failed };
[[nodiscard]] std::string_view to_string(Status status);

// Why a machine was not planned or migrated.
struct Refusal {
  ErrorKind kind{};
  ErrorDetail detail;
};
// Whether the same command may well succeed later, without anybody having changed the machine or the command: libvirt
// or a disk did not answer, there was no room, it was interrupted.
[[nodiscard]] bool may_pass(const Refusal &refusal);

// What was seen when the machine was started on overlays.
struct Test {
  enum class Verdict { booted, failed, unknown };
  Verdict verdict = Verdict::unknown;
  std::string sign;  // by what: "agent", "login", "uefi-shell"; empty where nothing is known
  std::string seen;  // for people: "the guest agent answers"
  double seconds = 0;
  std::string host_name, os;           // as the agent says
  std::vector<std::string> addresses;  // "enp0s3 192.168.1.7"
  std::vector<std::string> text;       // the last lines on the screen, or of the serial port
  std::string screenshot;              // a PNG file; empty: there was no screen
  std::vector<std::uint8_t> picture;   // its content: for the page, not for JSON
  std::vector<std::string> notes;      // sentences: what the trial did without
};
[[nodiscard]] std::string_view to_string(Test::Verdict verdict);

struct MachineReport {
  std::string name, source, kind, uuid, guest_os;
  std::size_t number = 0;  // of the machine in its source, from 1; 0: the only one
  Status status{};
  std::string run;                    // journal id, for undo; empty for a plan
  std::string summary;                // "pc (PIIX3), BIOS, 2 CPUs, 1.0 GiB memory"
  std::vector<std::string> observed;  // the systems that were seen on the disks, a line each
  std::vector<Disk> disks;
  std::vector<Nic> nics;
  std::vector<SnapshotLine> snapshots;
  Ledger settings;
  std::vector<Finding> findings;
  std::uint64_t space_needed = 0;
  std::optional<std::uint64_t> space_available;
  std::optional<double> seconds;         // that the run took
  std::optional<std::uint64_t> written;  // bytes of images that it wrote
  std::string domain_xml;
  std::optional<Picture> picture;
  std::vector<std::string> files;  // what is or would be written
  std::optional<Refusal> refusal;
  std::vector<std::string> next_steps;  // commands to type
  std::optional<Test> test;
};

// One machine's test alone, as 'virt-ferry test' shows it.
struct TestDocument {
  std::string tool, made, command;
  std::string machine;
  std::optional<Test> test;
  std::optional<Refusal> refusal;  // why it was not started
};

// The part of a batch that a report is of.
struct Shard {
  std::size_t index = 1, count = 1;
  std::string manifest;  // the SHA-256 of the manifest that was cut, in hex
  bool operator==(const Shard &) const = default;
};

struct Document {
  std::string tool;     // "virt-ferry 0.1.0"
  std::string host;     // name of the host profile
  std::string batch;    // its id, for undo; empty for anything else
  std::string made;     // when: "2026-11-29T12:05:57Z"
  std::string command;  // what was typed
  std::string user;     // by whom
  // Bytes a second that runs wrote here before: what the time of a plan is reckoned by.
  std::optional<double> rate;
  std::optional<Shard> shard;
  std::vector<MachineReport> machines;
};

// A report and the file that it was read from.
struct NamedDocument {
  std::filesystem::path file;
  Document document;
};
// The machines of all shards of one batch, in their order. Throws Error usage, with the file, where a shard is missing
// or there twice, or is one of another manifest or another count.
[[nodiscard]] Document merged(const std::vector<NamedDocument> &parts);

[[nodiscard]] std::string as_json(const Document &document);
// Throws Error malformed for what as_json() did not write.
[[nodiscard]] Document from_json(std::string_view text);
// What a command prints in the place of a document of `schema` that there is none of: its name and the refusal.
[[nodiscard]] std::string refusal_as_json(std::string_view schema, const Refusal &refusal);

enum class Detail {
  result,  // one line for each machine
  usual,   // and what a person has to know or to do
  all,     // and every file, finding and setting that is not carried over
};
// How text looks: for a terminal or a mail.
struct TextForm {
  Detail detail = Detail::all;
  std::size_t width = 80;  // columns, where the content allows
  bool colour = false;     // else there are no escapes
};
[[nodiscard]] std::string as_text(const Document &document, const TextForm &form = {});
// One self-contained page: nothing from other hosts; a script sorts and chooses among several machines, without which
// everything is there all the same.
[[nodiscard]] std::string as_html(const Document &document);
inline constexpr std::string_view kTestSchema = "virt-ferry-test/1";
[[nodiscard]] std::string test_json(const TestDocument &document);
[[nodiscard]] std::string test_text(const TestDocument &document, const TextForm &form = {});
[[nodiscard]] std::string test_html(const TestDocument &document);

// Of a batch: the totals; a line for each machine, those with trouble first; why some were refused, and what needs a
// hand on which machines. Detail::result: the totals alone. Detail::all: with each machine's own text.
[[nodiscard]] std::string batch_text(const Document &document, const TextForm &form = {});

}  // namespace ferry::report
