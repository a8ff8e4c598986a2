// SPDX-License-Identifier: Apache-2.0
// What a script, a batch file or a process gives QEMU: the words, with what the text alone does not tell.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/error.hpp"

namespace ferry::qemu {

// A value that the text does not hold.
struct Open {
  enum class Kind {
    argument,  // $1
    unset,     // a variable that the script never sets
    command,   // what a command prints
    random,    // another value at each start: uuidgen, $RANDOM
  };
  Kind kind = Kind::unset;
  std::string name;  // how --set calls it: "1", "DISK", "line-12"
  std::string text;  // as written: "$1", "$(uuidgen)"
  Place where;
};

// A word may hold open values: kOpenBegin, the number in Launch::opens, kOpenEnd. Neither byte can be in a text file
// that is read.
constexpr char kOpenBegin = '\x01', kOpenEnd = '\x02';

[[nodiscard]] bool has_open(std::string_view text);
// Numbers of the open values in `text`, in order.
[[nodiscard]] std::vector<std::size_t> opens_in(std::string_view text);
[[nodiscard]] std::string open_mark(std::size_t number);
// `text` with open values replaced by `with`.
[[nodiscard]] std::string without_opens(std::string_view text, std::string_view with = {});
// `text` with open values as they are written in the source.
[[nodiscard]] std::string shown(std::string_view text, const std::vector<Open> &opens);

struct LaunchWord {
  std::string text;
  std::uint64_t line = 0;      // 0: the source has no lines (a process)
  std::filesystem::path file;  // the script, or one that it sources
};

// A condition that the text alone does not decide.
struct Undecided {
  Place where;
  std::string text;                  // as well as it can be said: "[ -f disk2.img ]"
  std::vector<std::string> options;  // QEMU options that stand in its branches
};

// An swtpm that the text starts beside QEMU: it keeps the TPM's state.
struct TpmServer {
  Place where;
  std::string state;                            // --tpmstate: a folder, or a file; open values as in a word
  bool state_is_file = false;                   // backend-uri=file://
  std::string socket;                           // --ctrl type=unixio,path=, which QEMU's -chardev names too
  bool tpm2 = false, encrypted = false;         // --tpm2, --key
  std::optional<std::filesystem::path> folder;  // it is started in, when the source tells
};

struct Launch {
  std::string program;  // as written; empty when it is open or not said
  Place where;
  std::vector<LaunchWord> words;
  std::vector<Open> opens;                         // of the whole script; words refer to them
  std::vector<Undecided> undecided;                // conditions whose branches were not taken
  std::vector<Undecided> inside;                   // conditions that this start itself hangs on
  std::map<std::string, std::string> environment;  // QEMU_AUDIO_DRV=... before the program
  std::optional<std::filesystem::path> folder;     // QEMU is started in, when the source tells
  std::vector<std::filesystem::path> sourced;      // files that were read besides
  std::vector<Place> unread;                       // files that are sourced and could not be read
  std::vector<Place> host_values;                  // $(nproc): this host's
  std::vector<TpmServer> tpms;                     // of the whole script
  std::string macos_release;                       // what a variable of such a name holds: "ventura"
};

struct ReadOptions {
  std::map<std::string, std::string> set;          // --set NAME=VALUE
  std::map<std::string, std::string> environment;  // HOME, USER
  unsigned processors = 1;                         // what nproc says here
  std::string architecture;                        // what uname -m says here
};

// Throws Error unsupported for a command of more words than any machine has.
constexpr std::size_t kMostLaunchWords = 10'000;
void refuse_long(const Launch &launch);

// All starts of QEMU in a text. What kind of text it is, its content decides. Throws Error malformed (no shell text,
// broken continuations), unsupported (starts no QEMU, a Makefile or program, beyond the limits).
[[nodiscard]] std::vector<Launch> read_launches(std::string_view text, const std::filesystem::path &file,
                                                const ReadOptions &options);

// The word is a QEMU program's name or path.
[[nodiscard]] bool is_qemu_program(std::string_view word);

// One for each kind of text.
[[nodiscard]] std::vector<Launch> read_shell(std::string_view text, const std::filesystem::path &file,
                                             const ReadOptions &options);
[[nodiscard]] std::vector<Launch> read_batch(std::string_view text, const std::filesystem::path &file,
                                             const ReadOptions &options);
// Words that end in NUL, as /proc/PID/cmdline has them.
[[nodiscard]] std::vector<Launch> read_word_list(std::string_view text, const std::filesystem::path &file);

enum class TextKind { none, words, shell, batch, makefile, program, pasted, prose };
[[nodiscard]] TextKind text_kind(std::string_view text);

}  // namespace ferry::qemu
