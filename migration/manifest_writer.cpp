// SPDX-License-Identifier: Apache-2.0
#include "migration/manifest_writer.hpp"

#include <nlohmann/json.hpp>

#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

// In YAML's double quotes, which are JSON's: "n", "1:2:3" and "null" stay texts to every reader.
std::string quoted(const std::string &text) { return nlohmann::json(text).dump(); }

// Below the manifest's folder a name stays right where that folder is mounted elsewhere.
std::string source_of(const fs::path &source, const fs::path &manifest) {
  const fs::path folder = fs::absolute(manifest).lexically_normal().parent_path();
  const fs::path relative = source.lexically_relative(folder);
  return relative.empty() || *relative.begin() == ".." ? source.string() : relative.string();
}

}  // namespace

std::string manifest_of(const report::Document &document, const fs::path &manifest) {
  std::string out =
      "# A manifest for virt-ferry batch. bytes: of data, by which --shard divides the machines.\n"
      "machines:\n";
  std::size_t machines = 0;
  for (const report::MachineReport &machine : document.machines) {
    const std::string source = source_of(machine.source, manifest);
    if (machine.refusal || !text::is_valid_utf8(source) || !text::is_valid_utf8(machine.name)) {
      const std::string why =
          machine.refusal ? machine.refusal->detail.message : std::string("its name cannot be written in YAML");
      out += "  # " + text::printable(machine.source) + ": " + text::printable(why) + "\n";
      continue;
    }
    std::uint64_t bytes = 0;
    for (const report::Disk &disk : machine.disks) bytes += disk.allocated;
    out += "  - source: " + quoted(source) + "\n    name: " + quoted(machine.name) + "\n";
    if (machine.number != 0) out += "    machine: " + std::to_string(machine.number) + "\n";
    out += "    bytes: " + std::to_string(bytes) + "\n";
    ++machines;
  }
  if (machines == 0) {
    throw Error(ErrorKind::missing, {.where = {.file = manifest},
                                     .message = "there is no machine for the manifest",
                                     .found = "none that can be migrated",
                                     .advice = "The report says what is wrong with each."});
  }
  return out;
}

}  // namespace ferry::migration
