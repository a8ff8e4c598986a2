// SPDX-License-Identifier: Apache-2.0
// Which files a source may reach: the one rule for files outside the folder of the machine that names them, for disks
// and what these name in turn, CDs, floppies, firmware variables and files of ports alike. It looks at resolved paths.
//
// A settings file is often somebody else's, and what it names is opened and copied, or given to the new machine. So a
// file outside is taken only from where the user's own machines are, or where the user allowed it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "support/error.hpp"

namespace ferry::reach {

struct Limits {
  std::filesystem::path folder;                // of the machine; empty: none is known, and only `allowed` counts
  std::vector<std::filesystem::path> allowed;  // named by the user: --allow-outside, --search
  std::vector<std::filesystem::path> trees;    // a tree of machines that the user named
  // Folders of registered machines; asked only when nothing else allows a file. May be empty.
  std::function<std::vector<std::filesystem::path>()> registered;
};

enum class Verdict {
  inside,   // the machine's folder, or one that the user allowed
  own,      // another folder of the user's own machines: worth a warning
  outside,  // anywhere else: refused
  hostile,  // what no machine has an honest use for: refused, and said so
  never,    // a device or the like, which cannot even be allowed
};

struct Judgement {
  Verdict verdict = Verdict::inside;
  std::filesystem::path file;  // resolved
  std::string why;             // for own, outside, hostile and never: "a block device", "owned by another user"
  [[nodiscard]] bool refused() const { return verdict >= Verdict::outside; }
};

// `file` is absolute and there (what is not there leads nowhere and is inside).
[[nodiscard]] Judgement judge(const std::filesystem::path &file, const Limits &limits);

// Where judge() may find a file to be inside or the user's own: what somebody must be able to read who reads machines.
struct Readable {
  std::vector<std::filesystem::path> folders;  // to see what is in them
  std::vector<std::filesystem::path> trees;    // with all that lies below; files too
};
[[nodiscard]] Readable readable(const Limits &limits);
// A folder that holds all kinds of things: what lies in it is not there because a machine beside it is. A home, /tmp.
[[nodiscard]] bool is_common(const std::filesystem::path &folder);
// A machine's folder alone. Of one that holds all kinds of things (a home), what is neither hidden nor a link.
[[nodiscard]] Readable readable_below(const std::filesystem::path &folder);

// The refusal of a judgement that is refused. `what` names the file's part in the machine: "the disk SATA 0".
[[nodiscard]] Error refusal(const Judgement &judgement, const Place &where, const std::string &what);

// True when `file` lies below `folder`, or is it, after both are resolved.
[[nodiscard]] bool below(const std::filesystem::path &file, const std::filesystem::path &folder);

}  // namespace ferry::reach
