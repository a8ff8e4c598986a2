// SPDX-License-Identifier: Apache-2.0
#include "migration/source.hpp"

#include <algorithm>
#include <regex>
#include <set>
#include <system_error>

#include "importers/ovf/ovf.hpp"
#include "importers/qemu/qemu.hpp"
#include "importers/vagrant/vagrant.hpp"
#include "importers/vbox/vbox.hpp"
#include "importers/vmx/vmx.hpp"
#include "migration/foreign_source.hpp"
#include "migration/reader.hpp"
#include "migration/remote_source.hpp"
#include "migration/running_process.hpp"

#include "support/file.hpp"
#include "support/file_names.hpp"
#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeadBytes = 65536;  // old OVF descriptors begin with long comments

// The first bytes of a file, those of a text in UTF-16 as UTF-8. Throws Error io: what cannot be read is not nothing.
std::string read_head(const fs::path &file) {
  std::string head = file::read_start(file, kHeadBytes);
  if (auto utf8 = text::from_marked_utf16(head)) return *std::move(utf8);
  return head;
}

bool is_text(std::string_view head) {
  return !text::trim(head).starts_with('<') && text::is_valid_utf8(text::cut_utf8(head, head.size())) &&
         std::none_of(head.begin(), head.end(), [](char c) { return static_cast<unsigned char>(c) < 0x09; });
}

// A file that may be a script: all of it, when it is no longer than one would be.
std::optional<std::string> whole_text(const fs::path &file, std::string head) {
  constexpr std::size_t kLongestScript = 1U << 20U;
  std::error_code error;
  if (!qemu::speaks_of_qemu(head)) return std::nullopt;
  if (head.size() < kHeadBytes) return head;
  if (on_host::file_size(file, error) > kLongestScript || error) return std::nullopt;
  return file::read_start(file, kLongestScript);
}

// "pid:1234": the words of a running QEMU, as the kernel keeps them.
FoundSource running_process(const std::string &argument) {
  const auto number = text::parse_u64(std::string_view(argument).substr(4));
  if (!number || *number == 0) {
    throw Error(ErrorKind::usage, {.message = "this is not the number of a process",
                                   .found = "\"" + text::printable(argument) + "\"",
                                   .expected = "pid:N with the number of a running QEMU"});
  }
  const fs::path file = fs::path("/proc") / std::to_string(*number) / "cmdline";
  const std::vector<std::string> words = process::words_of(file);
  if (words.empty()) {
    throw Error(ErrorKind::missing, {.where = {.file = file},
                                     .message = "there is no such process, or it is not yours",
                                     .expected = "a QEMU that runs now"});
  }
  if (detect_source(file) != SourceKind::qemu) {
    throw Error(ErrorKind::unsupported, {.where = {.file = file},
                                         .message = "the process is not QEMU",
                                         .found = text::printable(text::cut_utf8(words.front(), 80)),
                                         .expected = "qemu-system-x86_64 or the like"});
  }
  return {SourceKind::qemu, file, {}};
}

// VirtualBox keeps the settings of before an upgrade as NAME-VERSION-PLATFORM.vbox beside NAME.vbox:
// "web-1.15-linux.vbox", "web-1.15-linux-2.vbox".
bool is_old_settings(const fs::path &file) {
  static const std::regex kPattern(
      R"((.+)-1\.[0-9]+-(linux|windows|macosx|solaris|freebsd|os2|unknown)(-[0-9]+)?\.vbox)");
  std::smatch parts;
  const std::string name = file.filename().string();
  std::error_code error;
  return std::regex_match(name, parts, kPattern) &&
         on_host::exists(file.parent_path() / (parts[1].str() + ".vbox"), error);
}

// Backups that look like machines but are not what a user means.
bool is_backup(const fs::path &file) {
  const std::string name = text::lower_ascii(file.filename().string());
  return name.ends_with(".vbox-prev") || name.ends_with(".vbox-tmp") || name.ends_with(".bak") || name.ends_with("~") ||
         is_old_settings(file);
}

// An .ova or a box. Reading a compressed one from its start is the only way to read it, so what was read of it is kept.
std::optional<SourceKind> package_kind(const fs::path &file, const std::string &head,
                                       const std::optional<file::Status> &status,
                                       std::shared_ptr<const file::Head> *kept) {
  std::shared_ptr<file::Head> begin;
  if (status && head.starts_with("\x1f\x8b"))
    begin = std::make_shared<file::Head>(file::Head{*status, {head.begin(), head.end()}});
  std::optional<SourceKind> kind;
  if (ovf::looks_like_ova(file, begin.get())) kind = SourceKind::ovf;
  if (!kind && vagrant::looks_like_box(file, begin.get())) kind = SourceKind::vagrant;
  if (kind && kept != nullptr) *kept = std::move(begin);
  return kind;
}

// As detect_source_at(); `unread` is set when the system does not let it be read.
std::optional<FoundSource> detected(const fs::path &file, std::optional<Error> *unread = nullptr) {
  try {
    FoundSource out{{}, fs::absolute(file).lexically_normal()};
    const auto kind = detect_source_at(file, &out.head);
    if (!kind) return std::nullopt;
    out.kind = *kind;
    return out;
  } catch (const Error &error) {
    if (unread != nullptr && error.kind() == ErrorKind::io) *unread = error;
    return std::nullopt;
  }
}

// Lies beside a machine and never is one.
bool is_companion(const fs::path &file) {
  static const std::set<std::string, std::less<>> kSuffixes{
      ".vdi", ".vmdk", ".vhd",  ".vhdx", ".avhd",  ".avhdx", ".hdd",  ".qcow", ".qcow2", ".qed",   ".img", ".raw",
      ".iso", ".flp",  ".log",  ".lck",  ".nvram", ".vmem",  ".vmsn", ".vmss", ".vswp",  ".sav",   ".tpm", ".png",
      ".jpg", ".txt",  ".html", ".md",   ".vmsd",  ".vmxf",  ".mf",   ".cert", ".bak",   ".sha256"};
  return kSuffixes.contains(text::lower_ascii(file.extension().string()));
}

std::string listing(const std::vector<FoundSource> &sources) {
  std::string out;
  for (const FoundSource &source : sources) out += (out.empty() ? "" : ", ") + source.file.filename().string();
  return out;
}

// A link is followed as far as the folder that was named may be read: what is beyond must be named itself.
Error said_of_link(const fs::path &file, const Error &error) {
  std::error_code none;
  const fs::path target = on_host::canonical(file, none);
  if (!on_host::is_symlink(file, none) || error.kind() != ErrorKind::io || target.empty()) return error;
  const std::string named = text::printable(target.string());
  return {ErrorKind::unsafe,
          {.where = {.file = fs::absolute(file).lexically_normal()},
           .message = "this is a link to a file that cannot be read from here",
           .found = named,
           .expected = "a file in the folder that was given",
           .advice = "If the machine is yours, give the file that the link leads to."}};
}

// Files that ought to be a machine and are not: with a machine's suffix, or the backup of settings that are gone.
std::optional<Error> unreadable_machine(const fs::path &file) {
  if (file.filename().string().starts_with("._")) return std::nullopt;  // macOS's resource forks on other file systems
  if (has_machine_suffix(file)) {
    try {
      return foreign_source(fs::absolute(file).lexically_normal(), read_head(file));
    } catch (const Error &error) {
      return said_of_link(file, error);
    }
  }
  if (text::lower_ascii(file.extension().string()) != ".vbox-prev") return std::nullopt;
  fs::path settings = file;
  settings.replace_extension(".vbox");
  std::error_code error;
  if (on_host::exists(settings, error)) return std::nullopt;
  return Error(ErrorKind::missing, {.where = {.file = fs::absolute(settings).lexically_normal()},
                                    .message = "the machine's settings no longer exist",
                                    .advice = vbox_backups(settings)});
}

FoundSource only_one_in(const fs::path &folder) {
  std::vector<FoundSource> found;
  std::optional<Error> broken;
  for (const on_host::Entry &entry : on_host::entries_of(folder)) {
    if (!entry.is_file) continue;
    const auto source = is_backup(entry.path) ? std::nullopt : detected(entry.path);
    if (source) {
      found.push_back(*source);
    } else if (!broken && !is_old_settings(entry.path)) {
      broken = unreadable_machine(entry.path);
    }
  }
  if (found.size() == 1) return found.front();
  if (found.empty() && broken) throw Error(*broken);
  if (found.empty()) {
    throw Error(ErrorKind::missing, {.where = {.file = folder},
                                     .message = "the folder contains no virtual machine",
                                     .expected = "one .vbox, .vmx, .ovf, .ova or .box file",
                                     .advice = "Give the file, or use 'virt-ferry batch' for a tree of folders."});
  }
  std::sort(found.begin(), found.end(), [](const auto &a, const auto &b) { return a.file < b.file; });
  throw Error(ErrorKind::usage, {.where = {.file = folder},
                                 .message = "the folder contains several virtual machines",
                                 .found = listing(found),
                                 .expected = "exactly one",
                                 .advice = "Give one of the files, or use 'virt-ferry batch' for all of them."});
}

void collect(const fs::path &folder, FoundBelow &out) {
  std::vector<fs::path> folders;
  std::vector<Error> unread;  // files that may be machines for all that is known
  bool machine_here = false;
  for (const on_host::Entry &entry : on_host::entries_of(folder)) {
    if (entry.is_folder && !entry.is_link) {
      if (entry.path.filename() != "lost+found") folders.push_back(entry.path);  // ext4's, for root only
    } else if (entry.is_file) {
      std::optional<Error> refused;
      auto source = is_backup(entry.path) ? std::nullopt : detected(entry.path, &refused);
      if (source) {
        machine_here = true;
        out.sources.push_back(*std::move(source));
      } else if (auto unreadable = is_old_settings(entry.path) ? std::nullopt : unreadable_machine(entry.path)) {
        out.unreadable.push_back(*std::move(unreadable));
      } else if (refused && !is_companion(entry.path) && !entry.is_link) {
        unread.push_back(*std::move(refused));
      }
    }
  }
  // In a machine's own folder it is a part of that machine, which says so itself.
  if (!machine_here) out.unreadable.insert(out.unreadable.end(), unread.begin(), unread.end());
  for (const fs::path &below : folders) {
    try {
      collect(below, out);
    } catch (const Error &error) {
      out.unreadable.push_back(error);
    }
  }
}

}  // namespace

std::optional<SourceKind> detect_source(const fs::path &file) { return detect_in_worker(file); }

std::optional<SourceKind> detect_source_at(const fs::path &file, std::shared_ptr<const file::Head> *kept) {
  std::error_code error;
  if (!on_host::is_regular_file(file, error)) return std::nullopt;  // a FIFO would be waited for
  const auto status = file::status_of(file);
  const std::string head = read_head(file);
  if (vbox::looks_like_vbox(head)) return SourceKind::vbox;
  if (ovf::looks_like_ovf(head)) return SourceKind::ovf;
  if (const auto package = package_kind(file, head, status, kept)) return package;
  if (vmx::looks_like_vmx(head)) return SourceKind::vmx;
  if (vagrant::looks_like_metadata(head)) return SourceKind::vagrant;
  if (const auto text = whole_text(file, head); text && qemu::starts_qemu(*text, file)) return SourceKind::qemu;
  return std::nullopt;
}

FoundSource find_source(const std::string &argument) {
  if (argument.starts_with("pid:")) return running_process(argument);
  if (argument.empty())
    throw Error(ErrorKind::usage,
                {.message = "the source has no name",
                 .found = "an empty argument",
                 .expected = "a file, a folder, or the name of a machine that 'virt-ferry list' shows"});
  const std::optional<fs::path> remote = remote_path(argument);
  const fs::path path = remote ? *remote : names::as_spelt(argument);
  std::error_code error;
  const fs::file_status status = on_host::status(path, error);
  if (remote && !fs::exists(status)) {
    throw Error(ErrorKind::missing, {.where = {.file = path},
                                     .message = "there is no such file or folder on the other host",
                                     .expected = "a machine's file, or a folder with one",
                                     .advice = "Check the path with 'sftp'; it begins at the host's root, or with "
                                               "/~/ at your home there."});
  }
  if (!fs::exists(status)) {
    const RegisteredMachine machine = machine_by_name(argument);
    return {machine.kind, machine.file};
  }
  if (!fs::is_directory(status) && !fs::is_regular_file(status)) {
    throw Error(ErrorKind::unsafe, {.where = {.file = path}, .message = "this is not a regular file"});
  }
  FoundSource found = find_source_in_worker(path);
  refuse_remote_kind(found);
  return found;
}

FoundSource find_source_at(const fs::path &path) {
  std::error_code error;
  if (on_host::is_directory(path, error)) return only_one_in(path);
  std::shared_ptr<const file::Head> head;
  auto kind = detect_source_at(path, &head);
  // What speaks of QEMU and starts none is refused with the reason.
  if (!kind) {
    const std::string begin = read_head(path);
    if (qemu::speaks_of_qemu(begin) && is_text(begin)) kind = SourceKind::qemu;
  }
  if (!kind) throw foreign_source(fs::absolute(path).lexically_normal(), read_head(path));
  return {*kind, fs::absolute(path).lexically_normal(), std::move(head)};
}

FoundBelow find_sources_below(const fs::path &folder) { return find_below_in_worker(folder); }

FoundBelow find_below(const fs::path &folder) {
  FoundBelow out;
  collect(folder, out);
  std::sort(out.sources.begin(), out.sources.end(), [](const auto &a, const auto &b) { return a.file < b.file; });
  std::sort(out.unreadable.begin(), out.unreadable.end(),
            [](const Error &a, const Error &b) { return a.detail().where.file < b.detail().where.file; });
  return out;
}

namespace {

// Settings that are damaged: those that lie beside can be given in their place.
ImportedMachine import_vbox(const fs::path &file, const ImportOptions &options) {
  try {
    return vbox::import_file(file, options);
  } catch (const Error &error) {
    const std::string backups = error.kind() == ErrorKind::malformed ? vbox_backups(file) : std::string();
    if (backups.empty()) throw;
    ErrorDetail detail = error.detail();
    detail.advice = backups;
    throw Error(error.kind(), std::move(detail));
  }
}

}  // namespace

std::vector<ImportedMachine> import_source(const FoundSource &source, const ImportOptions &options) {
  std::vector<ImportedMachine> out;
  switch (source.kind) {
    case SourceKind::vbox: out.push_back(import_vbox(source.file, options)); break;
    case SourceKind::vmx: out.push_back(vmx::import_file(source.file, options)); break;
    case SourceKind::ovf:
    case SourceKind::vagrant: {
      ImportOptions with_head = options;
      with_head.head = source.head;
      out = source.kind == SourceKind::ovf ? ovf::import_file(source.file, with_head)
                                           : vagrant::import_file(source.file, with_head);
      break;
    }
    case SourceKind::qemu: out = qemu::import_file(source.file, options); break;
  }
  return out;
}

names::Places places_of(const Options &options, const fs::path &file) {
  return {options.search, names::drives_around(options.virtualbox_registry.value_or(file))};
}

ImportOptions import_options(const Options &options, const fs::path &file) {
  ImportOptions out;
  out.virtualbox_registry = options.virtualbox_registry.value_or(fs::path{});
  out.ovf_configuration = options.ovf_configuration;
  out.ovf_properties = options.ovf_properties;
  out.keep_disk_changes = options.keep_disk_changes;
  out.places = places_of(options, file);
  out.set = options.variables;
  out.base = options.base;
  out.machine = options.machine;
  out.snapshots_needed = options.keep_snapshots && !options.skip_unreadable_snapshots;
  return out;
}

}  // namespace ferry::migration
