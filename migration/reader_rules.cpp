// SPDX-License-Identifier: Apache-2.0
#include "migration/reader_rules.hpp"

#include <system_error>

#include "importers/vbox/vbox.hpp"
#include "migration/registered.hpp"

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

// A file, and what it is where it is a link.
void add_file(const fs::path &file, cage::Rules &rules) {
  if (file.empty()) return;
  rules.read.push_back(file);
}

}  // namespace

cage::Rules rules_for(const reach::Limits &limits) {
  cage::Rules out = of_system();
  reach::Readable readable = reach::readable(limits);
  out.list = std::move(readable.folders);
  out.read.insert(out.read.end(), readable.trees.begin(), readable.trees.end());
  return out;
}

cage::Rules rules_for(const FoundSource &source, const Options &options) {
  reach::Limits limits;
  limits.folder = source.file.parent_path();
  limits.allowed = options.allow_outside;
  limits.allowed.insert(limits.allowed.end(), options.search.begin(), options.search.end());
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
  reach::Readable readable = reach::readable_below(limits.folder);
  out.list = std::move(readable.folders);
  out.read.insert(out.read.end(), readable.trees.begin(), readable.trees.end());
  add_file(full, out);
  return out;
}

}  // namespace ferry::migration
