// SPDX-License-Identifier: Apache-2.0
#include "migration/reader_rules.hpp"

#include <string>
#include <system_error>

#include "importers/vbox/vbox.hpp"
#include "migration/registered.hpp"
#include "migration/running_process.hpp"

#include "support/folders.hpp"
#include "support/on_host.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

// What libraries take of the system: other character sets, time zones, which digests may be used, how many processors
// there are.
cage::Rules of_system() {
  return {.list = {},
          .read = {"/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share/zoneinfo", "/etc/localtime",
                   "/etc/ld.so.cache", "/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf", "/etc/crypto-policies",
                   "/nix/store", "/sys/devices/system/cpu", "/dev/null", "/dev/urandom"},
          .write = {},
          .execute = {}};
}

void add_file(const fs::path &file, cage::Rules &rules) {
  if (file.empty()) return;
  rules.read.push_back(file);
}

// With all that lies in it; of a folder that holds all kinds of things what reach:: says of it.
void add_folder(const fs::path &folder, cage::Rules &rules) {
  reach::Readable readable = reach::readable_below(folder);
  rules.list.insert(rules.list.end(), readable.folders.begin(), readable.folders.end());
  rules.read.insert(rules.read.end(), readable.trees.begin(), readable.trees.end());
}

// A QEMU that runs has its files open already, because its user said so, wherever they are. Its words are not
// understood here: what it has open and what in them is a file's name may be read, with what lies beside it (extents).
cage::Rules rules_for_process(const fs::path &words, const Options &options) {
  cage::Rules out = of_system();
  add_file(words, out);
  const fs::path folder = options.base.value_or(process::folder_of(words));
  if (!reach::is_common(folder)) add_folder(folder, out);
  std::vector<fs::path> files = process::open_files(words);
  for (const std::string &word : process::words_of(words)) {
    for (const std::string &name : process::names_in(word)) {
      std::error_code error;
      if (!name.empty() && fs::is_regular_file(folder / name, error)) files.push_back(folder / name);
    }
  }
  for (const fs::path &file : files) {
    add_file(file, out);
    if (!reach::is_common(file.parent_path())) add_folder(file.parent_path(), out);
  }
  return out;
}

}  // namespace

cage::Rules rules_for_nothing() { return of_system(); }

cage::Rules rules_for(const reach::Limits &limits) {
  cage::Rules out = of_system();
  reach::Readable readable = reach::readable(limits);
  out.list = std::move(readable.folders);
  out.read.insert(out.read.end(), readable.trees.begin(), readable.trees.end());
  return out;
}

cage::Rules rules_for(const FoundSource &source, const Options &options) {
  if (process::is_source(source.file)) return rules_for_process(source.file, options);
  reach::Limits limits;
  limits.folder = source.file.parent_path();
  limits.allowed = options.allow_outside;
  limits.allowed.insert(limits.allowed.end(), options.search.begin(), options.search.end());
  if (options.base) limits.allowed.push_back(*options.base);
  limits.trees = options.trees;
  if (!on_host::is_remote(source.file)) limits.registered = [] { return registered_folders(); };
  cage::Rules out = rules_for(limits);
  add_file(source.file, out);
  if (!on_host::is_remote(source.file)) add_file(vbox::host_registry(), out);
  if (options.virtualbox_registry) add_file(*options.virtualbox_registry, out);
  // The file that lies somewhere on a Windows volume is looked for by names only.
  for (const auto &[letter, drive] : places_of(options, source.file).drives) out.list.push_back(drive);
  return out;
}

cage::Rules rules_for(const fs::path &path) {
  std::error_code error;
  const fs::path full = fs::absolute(path, error);
  reach::Limits limits;
  limits.folder = on_host::is_directory(full, error) ? full : full.parent_path();
  cage::Rules out = of_system();
  add_file(full, out);
  if (!process::is_source(full)) add_folder(limits.folder, out);
  return out;
}

cage::Rules rules_for_registries(const fs::path &windows_root) {
  cage::Rules out = of_system();
  if (!windows_root.empty()) {
    out.read.push_back(windows_root);
    return out;
  }
  add_file(vbox::host_registry(), out);
  if (const auto home = folders::home()) {
    for (const char *lists : {".vmware", "Library/Application Support/VMware Fusion"}) add_file(*home / lists, out);
  }
  add_file("/etc/vmware/hostd/vmInventory.xml", out);
  for (const fs::path &file : registered_files()) add_file(file, out);
  return out;
}

}  // namespace ferry::migration
