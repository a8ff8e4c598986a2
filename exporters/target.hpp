// SPDX-License-Identifier: Apache-2.0
// What any target of a migration gives and takes: libvirt today; a script or a cluster can be another. The spine speaks
// of machines in these words only, and knows the kind of target in one file (migration/host.cpp). A Target describes
// machines and asks nobody; Machines are those that it has, and change what is there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "exporters/choices.hpp"
#include "model/machine.hpp"

namespace ferry::target {

// ---- what a target is given ----

// What was decided of a value before the target came to it; the target tells it among its own.
struct Account {
  std::vector<Finding> findings;
  std::vector<Settlement> settlements;
};

// Who the machine is on the target, in one of its states.
struct Identity {
  std::string name;   // fit for the target and for files
  std::string title;  // shown to people
  Uuid uuid;          // of the machine, and what its guest reads
  Account uuid_account;
  struct Card {
    MacAddress mac;
    Account account;
  };
  std::vector<Card> cards;  // parallel to the hardware's network cards
};

// A bus that the guest boots from, by what was seen on its disks; named as in Disk.
struct BootBus {
  std::string bus, model;
  bool after_fix = false;  // a change in the copy starts its driver
  friend bool operator==(const BootBus &, const BootBus &) = default;
};

// What an image that has not all its bytes yet reads besides, where its header alone would not lead there: a part of a
// file, or a server of ours.
struct Backing {
  std::filesystem::path file;            // empty: it is a server
  std::string format;                    // "vmdk", "raw"
  std::uint64_t offset = 0, length = 0;  // of the part, in bytes
  std::filesystem::path socket;          // of the server (NBD), and its export there
  std::string name;
};

// What a drive's medium becomes on the target. Indexes are those of the model.
struct Medium {
  std::size_t controller = 0, drive = 0;
  std::filesystem::path file;  // absolute
  std::string format;          // "qcow2", "raw"
  bool read_only = false, shareable = false, transient = false;
  bool no_snapshots = false;       // the disk has one state for all snapshots
  std::uint64_t virtual_size = 0;  // bytes
  bool reads_source = false;       // the machine stops, and its guest sees no error, where that cannot be read
  std::optional<Backing> backing = {};
  // What the guest on it boots from, as seen there, the best first; empty: not known. Of a disk of data: its system's.
  std::vector<BootBus> boots_from = {};
  bool data_only = false;     // the guest's system was seen on another disk
  std::string identity = {};  // what the guest reads as its serial number where the drive itself says none
};

// A firmware image pair of the target's host, as its descriptors (/usr/share/qemu/firmware/*.json, user overrides)
// give it.
struct FirmwareImage {
  std::string description;
  std::filesystem::path loader;          // absolute, raw pflash
  std::filesystem::path nvram_template;  // absolute, raw
  std::string architecture;              // "x86_64", "i386"
  std::vector<std::string> machines;     // globs: "pc-q35-*"
  std::set<std::string> features;        // "secure-boot", "enrolled-keys", "requires-smm", "acpi-s3"
  std::uint64_t vars_size = 0;           // bytes of nvram_template; 0 when unknown
  std::uint64_t joint = 0;               // bytes of variables that stand before the code in `loader`; 0: it is code
  std::set<std::string> scsi_models;     // whose disks it reads besides virtio-scsi's: "vmpvscsi"
};

// The variable store that the firmware is started with.
struct Firmware {
  FirmwareImage descriptor;
  std::filesystem::path nvram;  // the machine's own copy
  bool secure_boot = false;
};

// One state of a machine, to be described in the target's own form.
struct Request {
  const Machine *machine = nullptr;    // names, guest OS
  const Hardware *hardware = nullptr;  // the current state's, or a snapshot's; null: the machine's
  Identity identity;
  Choices options;
  std::vector<Medium> media;
  std::filesystem::path folder;  // of the machine's new files: --dest; empty: that of its media
  std::optional<Firmware> firmware;
  std::map<std::string, std::string> used_ports;  // ListenPort::key() -> another machine that listens there
  std::string field_prefix;                       // of settlements: "hardware", "snapshots.2.hardware"
};

struct SnapshotRequest {
  std::string name, description, parent;  // names in the qcow2 and on the target are the same
  std::int64_t created = 0;
  std::string machine_document;            // of the snapshot's own hardware
  std::vector<std::string> disk_targets;   // Disk::target: those with an internal snapshot
  std::vector<std::string> other_targets;  // those without
};

// ---- what it gives ----

struct Nic {  // for the report
  std::string mac, model, network;
  std::optional<std::string> guest_name;  // the interface name that systemd gives it
  std::vector<std::string> forwards;      // "tcp 127.0.0.1:2222 -> 22"
};

// Where a drive went: parallel to the machine's disks on the target.
struct Disk {
  std::size_t controller = 0, drive = 0;  // indexes of the model
  std::string target;                     // the target's name of it: "sda"
  std::string bus;                        // "sata"
  std::string model = {};                 // of its controller, where the bus has several: "virtio-scsi"
  bool unmanaged = false;                 // the target does not know that it is there, and takes no snapshots of it
};

// A port of the host that the machine listens on while it runs.
struct ListenPort {
  std::string protocol;  // "tcp", "udp"
  std::string address;   // IPv4; empty: any
  std::uint16_t port = 0;
  std::string use;  // "Network card 1's port forward": for messages
  Place origin;
  [[nodiscard]] std::string key() const { return protocol + ":" + std::to_string(port); }
};

struct Result {
  std::string document;  // libvirt: the domain's XML
  std::string board;     // what kind of machine it is: "q35"
  std::vector<Nic> nics;
  std::vector<Disk> disks;
  bool has_tpm = false;  // the machine has an emulated one
  std::vector<ListenPort> listen;
  std::uint64_t memory = 0;             // bytes
  std::vector<std::string> next_steps;  // commands for the user, where the target is not reached from here
  std::vector<Finding> findings;
  std::vector<Settlement> settlements;  // what became of each field of the model
};

// The files that a machine's document names.
struct MachineFiles {
  std::set<std::filesystem::path> all;    // disks with their parents, CDs, store, kernel, initrd
  std::set<std::filesystem::path> disks;  // of disks only: what a guest writes to, and what lies under it
};

// A machine that is to be started when it is made.
struct Start {
  std::string document;                     // of the target's own making
  std::vector<std::filesystem::path> made;  // files that the run makes: they are not there yet
  std::filesystem::path folder;             // that the run makes them in
  std::uint64_t memory = 0;                 // bytes
};

// Names and addresses that a new machine cannot have.
struct Taken {
  std::set<std::string> names;               // of machines that the target has
  std::map<std::string, std::string> uuids;  // UUID -> name of the machine that has it
  std::map<std::string, std::string> macs;   // MAC -> name of the machine that has it
  std::map<std::string, std::string> runs;   // name of a machine -> the run of ours that made it
  std::map<std::string, std::string> ports;  // ListenPort::key() -> the machine that listens there when it runs
  // What this process plans to make.
  std::set<std::string> planned_names;
  std::set<std::filesystem::path> planned_files;
  std::map<std::string, std::string> planned_ports;  // as `ports`
  std::set<std::string> started_ports;               // of those: what machines that are started at once need

  [[nodiscard]] bool is_planned(const std::string &name) const { return planned_names.contains(name); }
  // A machine that is to be replaced, or taken back, is in nobody's way.
  void forget(const std::string &name);
  // Nor are those that the target has, where nothing is defined on it.
  void forget_defined();
};

// The host that a machine is planned for. Plans are pure: nothing here but refuse_start() asks the host.
class Target {
 public:
  struct Facts {
    std::string name;                    // "Debian 12, libvirt 9.0.0, QEMU 7.2.0"
    std::string place;                   // as errors name it: "qemu:///session"
    bool assumed = false;                // nobody was asked; a conservative host is taken
    std::filesystem::path image_folder;  // where it keeps images
    std::string document_suffix = ".xml";
    bool keeps_snapshots = true;
    bool keeps_variables = true;  // of UEFI firmware: it has stores that are files
    bool has_cd_drives = true;
    Taken taken;
  };

  explicit Target(Facts its_facts) : facts(std::move(its_facts)) {}
  virtual ~Target() = default;
  Target(const Target &) = delete;
  Target &operator=(const Target &) = delete;

  Facts facts;

  // Which firmware pair suits the machine: from one descriptor, of its architecture, the right size class. nullopt for
  // BIOS machines. Throws Error unsupported when an EFI machine meets a host without.
  [[nodiscard]] virtual std::optional<FirmwareImage> choose_firmware(const Hardware &hardware,
                                                                     bool secure_boot) const = 0;
  // Throws Error unsupported for a machine that the target cannot run.
  [[nodiscard]] virtual Result describe(const Request &request) const = 0;
  [[nodiscard]] virtual std::string describe_snapshot(const SnapshotRequest &request) const = 0;
  // What users of the machine's carried-over snapshots should know; nullopt: they work as new ones do.
  [[nodiscard]] virtual std::optional<Finding> snapshot_limits(const Hardware &hardware) const = 0;
  // A document of the target's own making (of a machine or a snapshot) with the mark of the run that makes it, by which
  // its machine is known: a UUID does not tell whose a machine is, for it is the source's, and any later copy has it.
  [[nodiscard]] virtual std::string with_run_mark(const std::string &document, const std::string &run) const = 0;
  // Adds those that a document of the target's own making names.
  virtual void add_files(const std::string &document, MachineFiles &files) const = 0;
  // Looks at what the machine needs of the host that this runs on, which must be the target's. Throws Error unsupported
  // with the first thing that would keep it from starting.
  virtual void refuse_start(const Start &start) const = 0;
};

// ---- the machines that it has ----

// One of them, as far as it matters to whoever wants to replace or remove it.
struct MachineFacts {
  std::string name, uuid;
  std::string run;                          // whose mark it bears; empty: no run of ours made it
  bool running = false, suspended = false;  // suspended: its memory is saved
  std::vector<std::string> snapshots;       // parents before children
  MachineFiles files;                       // of all its definitions: now, at its next start, of its snapshots
};

// What it takes to define a machine again as it was.
struct SavedMachine {
  std::string document;
  struct Snapshot {
    std::string name, document;
    bool current = false;
  };
  std::vector<Snapshot> snapshots;  // parents before children
  bool autostart = false;
};

// ---- what is seen of one that runs ----

enum class Condition { running, paused, off, crashed };  // crashed: its guest said so, through a panic device

enum class ShutDown { agent, acpi };  // who is asked to shut the guest down

// A picture of the screen, as the target gives it: "image/png", "image/x-portable-pixmap".
struct Screen {
  std::string type;
  std::vector<std::uint8_t> bytes;
};

// A machine's disk that can be written to, in a document.
struct WritableDisk {
  std::string target;          // its name there: "sda"
  std::filesystem::path file;  // or block device; absolute
  std::string format;          // "qcow2", "raw"
};

// What a machine has of its own that a trial must not touch.
struct TrialNeeds {
  std::string name, uuid;
  std::vector<WritableDisk> disks;
  std::filesystem::path store;          // of firmware variables; empty: none yet, or no UEFI
  std::string tpm_folder;               // below that of the machine: "tpm2", "tpm1.2"; empty: no emulated TPM
  bool emulated = false;                // without hardware virtualization
  std::vector<std::string> left_out{};  // sentences: what the trial does without
};

// What it gets instead.
struct TrialParts {
  std::string name, title, uuid;
  std::map<std::string, std::filesystem::path> overlays;  // qcow2 images, by WritableDisk::target
  std::filesystem::path store;                            // where there is a variable store, or is to be one
  std::filesystem::path console;                          // what the first serial port says goes there
};

// All functions throw Error libvirt when the target refuses or does not answer.
class Machines {
 public:
  Machines() = default;
  virtual ~Machines() = default;
  Machines(const Machines &) = delete;
  Machines &operator=(const Machines &) = delete;

  // nullopt when there is no such machine.
  [[nodiscard]] virtual std::optional<MachineFacts> machine_named(const std::string &name) const = 0;
  [[nodiscard]] virtual std::optional<MachineFacts> machine_of(const std::string &uuid) const = 0;
  [[nodiscard]] virtual std::vector<MachineFacts> machines() const = 0;
  [[nodiscard]] virtual bool is_running(const std::string &name) const = 0;

  // A machine of the same name and UUID is changed.
  virtual void define(const std::string &document) = 0;
  // A snapshot that the machine's disks have already; its parent first.
  virtual void define_snapshot(const std::string &name, const std::string &document, bool current) = 0;
  // With its snapshots; all files stay.
  virtual void undefine(const std::string &name) = 0;
  // The definition with its secrets, snapshots and autostart, and that again; what is there of it already stays.
  [[nodiscard]] virtual SavedMachine save(const std::string &name) const = 0;
  virtual void restore(const std::string &name, const SavedMachine &saved) = 0;

  virtual void start(const std::string &name) = 0;
  virtual void switch_off(const std::string &name) = 0;
  // Files in the folder are new: where the target keeps a list of it, that is read again. Never an error.
  virtual void refresh(const std::filesystem::path &folder) = 0;

  // ---- machines that run; a target that cannot do it throws Error unsupported ----

  // Starts a machine that is defined nowhere. It ends with this object or with the process, whatever ends that.
  virtual void boot(const std::string &document);
  [[nodiscard]] virtual Condition condition(const std::string &name) const;
  // What the guest's agent answers to a command, both in JSON; nullopt: nobody answers within `seconds`, or the agent
  // does not do it.
  [[nodiscard]] virtual std::optional<std::string> ask_agent(const std::string &name, const std::string &command,
                                                             unsigned seconds) const;
  // nullopt where the machine has no screen, or shows nothing yet.
  [[nodiscard]] virtual std::optional<Screen> screen(const std::string &name) const;
  // What the guest of a machine that has crashed said of that, as the target wrote it down: "hyper-v: arg1='0x7b' ...";
  // empty: nothing that is known.
  [[nodiscard]] virtual std::string crash_note(const std::string &name) const;
  // Asks the guest to shut down, and does not wait for it.
  virtual void shut_down(const std::string &name, ShutDown how);
  // Lets a machine that is paused go on.
  virtual void go_on(const std::string &name);
};

}  // namespace ferry::target
