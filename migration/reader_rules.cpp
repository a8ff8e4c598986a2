// SPDX-License-Identifier: Apache-2.0
#include "migration/reader_rules.hpp"

#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "importers/vbox/vbox.hpp"
#include "migration/registered.hpp"

#include "support/folders.hpp"

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

// What may be a file's name in a word of QEMU's: what stands between the characters that its lists and JSON have.
std::vector<std::string> names_in(const std::string &word) {
  std::vector<std::string> out{word};
  for (const std::string_view ends : {",", ",=", ",=:", "\""}) {
    std::string name;
    for (std::size_t i = 0; i < word.size(); ++i) {
      const bool doubled = word[i] == ',' && word.substr(i + 1, 1) == ",";
      if (!doubled && ends.find(word[i]) != std::string_view::npos) {
        out.push_back(std::move(name));
        name.clear();
        continue;
      }
      name += word[i];
      i += doubled ? 1 : 0;
    }
    out.push_back(std::move(name));
  }
  return out;
}

// A QEMU that runs has its files open already, because its user said so, wherever they are. Its words are not
// understood here: what in them is a file's name may be read, with what lies beside it (extents).
cage::Rules rules_for_process(const fs::path &words, const Options &options) {
  cage::Rules out = of_system();
  add_file(words, out);
  const fs::path folder = options.base.value_or(folder_of_process(words));
  if (!reach::is_common(folder)) add_folder(folder, out);
  std::ifstream in(words, std::ios::binary);
  for (std::string word; std::getline(in, word, '\0');) {
    for (const std::string &name : names_in(word)) {
      const fs::path file = folder / name;
      std::error_code error;
      if (name.empty() || !fs::is_regular_file(file, error)) continue;
      add_file(file, out);
      if (!reach::is_common(file.parent_path())) add_folder(file.parent_path(), out);
    }
  }
  return out;
}

}  // namespace

cage::Rules rules_for_nothing() { return of_system(); }

fs::path folder_of_process(const fs::path &words) {
  std::error_code error;
  return fs::read_symlink(words.parent_path() / "cwd", error);
}

cage::Rules rules_for(const reach::Limits &limits) {
  cage::Rules out = of_system();
  reach::Readable readable = reach::readable(limits);
  out.list = std::move(readable.folders);
  out.read.insert(out.read.end(), readable.trees.begin(), readable.trees.end());
  return out;
}

bool is_process(const fs::path &file) { return reach::below(file, "/proc"); }

cage::Rules rules_for(const FoundSource &source, const Options &options) {
  if (is_process(source.file)) return rules_for_process(source.file, options);
  reach::Limits limits;
  limits.folder = source.file.parent_path();
  limits.allowed = options.allow_outside;
  limits.allowed.insert(limits.allowed.end(), options.search.begin(), options.search.end());
  if (options.base) limits.allowed.push_back(*options.base);
  limits.trees = options.trees;
  limits.registered = [] { return registered_folders(); };
  cage::Rules out = rules_for(limits);
  add_file(source.file, out);
  add_file(vbox::host_registry(), out);
  if (options.virtualbox_registry) add_file(*options.virtualbox_registry, out);
  // The file that lies somewhere on a Windows volume is looked for by names only.
  for (const auto &[letter, drive] : places_of(options, source.file).drives) out.list.push_back(drive);
  return out;
}

cage::Rules rules_for(const fs::path &path) {
  std::error_code error;
  const fs::path full = fs::absolute(path, error);
  reach::Limits limits;
  limits.folder = fs::is_directory(full, error) ? full : full.parent_path();
  cage::Rules out = of_system();
  add_file(full, out);
  if (!is_process(full)) add_folder(limits.folder, out);
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
