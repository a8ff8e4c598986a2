// SPDX-License-Identifier: Apache-2.0
#include "support/reach.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>
#include <unistd.h>

#include "support/file.hpp"
#include "support/folders.hpp"
#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::reach {
namespace {

namespace fs = std::filesystem;

fs::path resolved(const fs::path &path) {
  std::error_code failed;
  fs::path real = on_host::weakly_canonical(path, failed);
  return failed ? path.lexically_normal() : real;
}

bool lies_below(const fs::path &file, const fs::path &folder) {
  if (folder.empty()) return false;
  return std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first == folder.end();
}

bool below_any(const fs::path &file, const std::vector<fs::path> &folders) {
  return std::any_of(folders.begin(), folders.end(),
                     [&](const fs::path &folder) { return lies_below(file, resolved(folder)); });
}

// The kernel's own trees, whose files do something when they are read.
bool in_kernel_tree(const fs::path &path) {
  const fs::path file = on_host::path_there(path);
  for (const char *tree : {"/dev", "/proc", "/sys"}) {
    if (lies_below(file, tree)) return true;
  }
  return false;
}

// Folders of the operating system, but for those where machines and removable media are.
bool in_system_folder(const fs::path &path) {
  static constexpr std::array<const char *, 13> kSystem{"/etc",   "/boot",   "/usr",  "/bin", "/sbin", "/lib", "/lib32",
                                                        "/lib64", "/libx32", "/root", "/run", "/var",  "/snap"};
  static constexpr std::array<const char *, 5> kExceptions{"/run/media", "/var/tmp", "/var/lib/libvirt/images",
                                                           "/var/lib/vmware", "/var/lib/virtualbox"};
  const auto home = folders::home();
  if (home && lies_below(path, resolved(*home))) return false;
  const fs::path file = on_host::path_there(path);
  const auto holds = [&](const char *folder) { return lies_below(file, folder); };
  return std::any_of(kSystem.begin(), kSystem.end(), holds) &&
         std::none_of(kExceptions.begin(), kExceptions.end(), holds);
}

// A folder whose name begins with a dot holds a program's own data (keys, mail, sessions). Those above the machine's
// folder do not count, nor those where machines are kept.
bool in_hidden_folder(const fs::path &file, const fs::path &machine) {
  static constexpr std::array<std::string_view, 3> kOfMachines{".VirtualBox", ".vmware", ".local"};
  auto part = file.begin();
  for (auto own = machine.begin(); part != file.end() && own != machine.end() && *part == *own; ++own) ++part;
  return std::any_of(part, file.end(), [](const fs::path &name) {
    const std::string text = name.string();
    return text.size() > 1 && text.front() == '.' &&
           std::find(kOfMachines.begin(), kOfMachines.end(), text) == kOfMachines.end();
  });
}

// The user, or who made the machine: a mounted volume gives all its files one owner, who may be another.
bool has_own_owner(const file::Status &status, const Limits &limits) {
  if (!on_host::is_remote(limits.folder) && status.owner == geteuid()) return true;
  const auto folder = file::status_of(limits.folder);
  return folder && folder->owner == status.owner;
}

std::string_view kind_of(const fs::path &file) {
  std::error_code failed;
  switch (on_host::status(file, failed).type()) {
    case fs::file_type::block: return "a block device";
    case fs::file_type::character: return "a character device";
    case fs::file_type::fifo: return "a FIFO";
    case fs::file_type::socket: return "a socket";
    case fs::file_type::directory: return "a folder";
    default: return {};
  }
}

Judgement judge_outside(Judgement out, const fs::path &written, const file::Status &status, const Limits &limits) {
  const fs::path machine = resolved(limits.folder);
  const auto hostile = [&out](std::string why) {
    out.verdict = Verdict::hostile;
    out.why = std::move(why);
    return out;
  };
  if (in_system_folder(out.file)) return hostile("a file of the operating system");
  if (in_hidden_folder(out.file, machine)) return hostile("a file in a hidden folder");
  if (!has_own_owner(status, limits)) return hostile("a file of another user");
  const fs::path lexical = written.lexically_normal();
  if (!limits.folder.empty() && (lies_below(lexical, limits.folder.lexically_normal()) || lies_below(lexical, machine)))
    return hostile("a link in the machine's folder that points outside it");
  out.verdict = Verdict::own;
  if (below_any(out.file, limits.trees)) {
    out.why = "in the tree of machines that you named";
  } else if (!machine.empty() && !is_common(machine.parent_path()) && lies_below(out.file, machine.parent_path())) {
    out.why = "in the folder above the machine's, " + machine.parent_path().string();
  } else if (limits.registered && below_any(out.file, limits.registered())) {
    out.why = "in the folder of another machine that is registered here";
  } else {
    out.verdict = Verdict::outside;
    out.why = "a file outside the machine's folder";
  }
  return out;
}

}  // namespace

bool is_common(const fs::path &named) {
  const fs::path real = resolved(named), folder = on_host::path_there(real);
  static constexpr std::array<const char *, 10> kCommon{"/",    "/home", "/tmp",   "/var/tmp", "/mnt",
                                                        "/opt", "/srv",  "/media", "/run",     "/run/media"};
  if (std::find(kCommon.begin(), kCommon.end(), folder) != kCommon.end()) return true;
  const auto home = folders::home();
  return (home && real == resolved(*home)) || folder.parent_path() == "/home";
}

bool below(const fs::path &file, const fs::path &folder) { return lies_below(resolved(file), resolved(folder)); }

Judgement judge(const fs::path &written, const Limits &limits) {
  Judgement out{Verdict::inside, resolved(written), {}};
  const auto status = file::status_of(written);
  if (!status) return out;
  if (!limits.folder.empty() && !on_host::same_host(out.file, limits.folder))
    return {Verdict::never, out.file, "a file of another host"};
  if (in_kernel_tree(out.file)) return {Verdict::never, out.file, "a file of the kernel"};
  if (const std::string_view kind = kind_of(out.file); !kind.empty())
    return {Verdict::never, out.file, std::string(kind)};
  if (!limits.folder.empty() && lies_below(out.file, resolved(limits.folder))) return out;
  if (below_any(out.file, limits.allowed)) return out;
  return judge_outside(std::move(out), written, *status, limits);
}

Readable readable_below(const fs::path &folder) {
  constexpr std::size_t kMost = 4096;  // a folder with more than this is no place for a machine
  Readable out;
  const fs::path real = resolved(folder);
  if (!is_common(real)) {
    out.trees.push_back(real);
    return out;
  }
  out.folders.push_back(real);
  std::error_code failed;
  for (const on_host::Entry &entry : on_host::list(real, failed, kMost)) {
    if (!in_hidden_folder(entry.path, real) && !entry.is_link) out.trees.push_back(entry.path);
  }
  return out;
}

Readable readable(const Limits &limits) {
  Readable out;
  if (!limits.folder.empty()) out = readable_below(limits.folder);
  const fs::path above = resolved(limits.folder).parent_path();
  if (!limits.folder.empty() && !is_common(above)) out.trees.push_back(above);
  const auto add = [&out](const std::vector<fs::path> &folders) {
    out.trees.insert(out.trees.end(), folders.begin(), folders.end());
  };
  add(limits.allowed);
  add(limits.trees);
  if (limits.registered) add(limits.registered());
  return out;
}

Error refusal(const Judgement &judgement, const Place &where, const std::string &what) {
  const bool never = judgement.verdict == Verdict::never;
  const std::string file = text::printable(judgement.file.string());
  return {
      ErrorKind::unsafe,
      {.where = where,
       .message = what + (judgement.verdict == Verdict::outside ? " is outside the machine's folder and is not read"
                                                                : " refers to something that no machine should use"),
       .found = file + ", " + judgement.why,
       .expected = never ? "a regular file" : "a file in the machine's folder or in one of your other machines'",
       .advice = never ? "Copy its content to an image file, and use that."
                       : "If it belongs to the machine, allow its folder with --allow-outside " +
                             text::printable(judgement.file.parent_path().string()) + "."}};
}

}  // namespace ferry::reach
