// SPDX-License-Identifier: Apache-2.0
#include "migration/source.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>

#include "importers/ovf/ovf.hpp"
#include "importers/vbox/vbox.hpp"
#include "importers/vmx/vmx.hpp"
#include "model/support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeadBytes = 65536;  // old OVF descriptors begin with long comments

std::string read_head(const fs::path &file) {
  std::ifstream in(file, std::ios::binary);
  std::string head(kHeadBytes, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(in.gcount()));
  return head;
}

// Backups and lists that look like machines but are not what a user means.
bool is_backup(const fs::path &file) {
  const std::string name = text::lower_ascii(file.filename().string());
  return name.ends_with(".vbox-prev") || name.ends_with(".vbox-tmp") || name.ends_with(".bak") || name.ends_with("~");
}

std::string listing(const std::vector<FoundSource> &sources) {
  std::string out;
  for (const FoundSource &source : sources) out += (out.empty() ? "" : ", ") + source.file.filename().string();
  return out;
}

FoundSource only_one_in(const fs::path &folder) {
  std::vector<FoundSource> found;
  for (const auto &entry : fs::directory_iterator(folder)) {
    if (!entry.is_regular_file() || is_backup(entry.path())) continue;
    if (const auto kind = detect_source(entry.path())) found.push_back({*kind, fs::absolute(entry.path())});
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    throw Error(ErrorKind::missing, {.where = {folder, {}, {}},
                                     .message = "the folder holds no virtual machine",
                                     .expected = "one .vbox, .vmx, .ovf or .ova file",
                                     .advice = "Name the file, or use 'virt-ferry batch' for a tree of folders."});
  }
  std::sort(found.begin(), found.end(), [](const auto &a, const auto &b) { return a.file < b.file; });
  throw Error(ErrorKind::usage, {.where = {folder, {}, {}},
                                 .message = "the folder holds several virtual machines",
                                 .found = listing(found),
                                 .expected = "exactly one",
                                 .advice = "Name one of the files, or use 'virt-ferry batch' for all of them."});
}

FoundSource by_registered_name(const std::string &name) {
  std::vector<RegisteredMachine> matches;
  std::string known;
  for (const RegisteredMachine &machine : registered_machines()) {
    if (machine.name == name) matches.push_back(machine);
    known += (known.empty() ? "" : ", ") + machine.name;
  }
  if (matches.size() == 1) return {matches.front().kind, matches.front().file};
  if (matches.size() > 1) {
    throw Error(ErrorKind::usage,
                {.message = "several registered machines are called \"" + text::printable(name) + "\"",
                 .found = matches[0].file.string() + ", " + matches[1].file.string(),
                 .advice = "Name the file instead."});
  }
  throw Error(ErrorKind::missing,
              {.where = {name, {}, {}},
               .message = "there is no such file, and no registered machine has this name",
               .expected = known.empty() ? "a .vbox, .vmx, .ovf or .ova file" : "a file, or one of: " + known,
               .advice = "'virt-ferry list' shows the machines of this host."});
}

void collect(const fs::path &folder, std::vector<FoundSource> &out) {
  std::vector<fs::path> folders;
  for (const auto &entry : fs::directory_iterator(folder, fs::directory_options::skip_permission_denied)) {
    if (entry.is_directory() && !entry.is_symlink()) {
      folders.push_back(entry.path());
    } else if (entry.is_regular_file() && !is_backup(entry.path())) {
      if (const auto kind = detect_source(entry.path())) out.push_back({*kind, fs::absolute(entry.path())});
    }
  }
  for (const fs::path &below : folders) collect(below, out);
}

}  // namespace

std::optional<SourceKind> detect_source(const fs::path &file) {
  const std::string head = read_head(file);
  if (vbox::looks_like_vbox(head)) return SourceKind::vbox;
  if (ovf::looks_like_ovf(head) || ovf::looks_like_ova(file)) return SourceKind::ovf;
  if (vmx::looks_like_vmx(head)) return SourceKind::vmx;
  return std::nullopt;
}

FoundSource find_source(const std::string &argument) {
  const fs::path path(argument);
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) return only_one_in(path);
  if (!fs::exists(status)) return by_registered_name(argument);
  if (!fs::is_regular_file(status)) {
    throw Error(ErrorKind::unsafe, {.where = {path, {}, {}}, .message = "this is not a regular file"});
  }
  if (std::ifstream probe(path); !probe) {
    throw Error(ErrorKind::io,
                {.where = {path, {}, {}}, .message = "the file cannot be read", .advice = "Check its permissions."});
  }
  const auto kind = detect_source(path);
  if (!kind && read_head(path).find("<!DOCTYPE") != std::string::npos) {
    throw Error(ErrorKind::malformed,
                {.where = {path, {}, {}},
                 .message = "the file has a DOCTYPE declaration, so it is not read",
                 .expected = "plain XML without a document type",
                 .advice = "Neither VirtualBox nor VMware writes one; remove it if you trust the file."});
  }
  if (!kind) {
    throw Error(ErrorKind::malformed,
                {.where = {path, {}, {}},
                 .message = "this is no virtual machine that virt-ferry knows",
                 .expected = "VirtualBox settings (.vbox), VMware configuration (.vmx), or an OVF package (.ovf, .ova)",
                 .advice = "For a disk image without a machine, use 'virt-ferry disk convert'."});
  }
  return {*kind, fs::absolute(path).lexically_normal()};
}

std::vector<FoundSource> find_sources_below(const fs::path &folder) {
  std::vector<FoundSource> out;
  collect(folder, out);
  // An .ovf that was unpacked beside its .ova would be migrated twice; the package as a whole wins.
  std::sort(out.begin(), out.end(), [](const auto &a, const auto &b) { return a.file < b.file; });
  return out;
}

std::vector<ImportedMachine> import_source(const FoundSource &source, const ImportOptions &options) {
  std::vector<ImportedMachine> out;
  switch (source.kind) {
    case SourceKind::vbox: out.push_back(vbox::import_file(source.file, options)); break;
    case SourceKind::vmx: out.push_back(vmx::import_file(source.file, options)); break;
    case SourceKind::ovf: out = ovf::import_file(source.file, options); break;
  }
  return out;
}

std::vector<RegisteredMachine> registered_machines() {
  std::vector<RegisteredMachine> out;
  if (const fs::path registry = vbox::host_registry(); !registry.empty()) {
    for (const auto &machine : vbox::registered_machines(registry)) {
      out.push_back({machine.name, SourceKind::vbox, machine.file, fs::exists(machine.file)});
    }
  }
  if (const char *home = std::getenv("HOME")) {
    for (const auto &machine : vmx::registered_machines(home)) {
      out.push_back({machine.name, SourceKind::vmx, machine.file, fs::exists(machine.file)});
    }
  }
  return out;
}

}  // namespace ferry::migration
