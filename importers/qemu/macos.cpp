// SPDX-License-Identifier: Apache-2.0
// Which release of macOS a machine with Apple's SMC runs. QEMU has no word for it, so it is taken from what people call
// their machines and files; where they say nothing, or two things, it stays open.
#include <array>
#include <fstream>
#include <set>

#include "importers/qemu/context.hpp"
#include "model/macos_name.hpp"

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

namespace fs = std::filesystem;

struct Evidence {
  std::set<unsigned> darwins;
  std::string text;  // what says so
  void add(std::string_view named, const std::string &what) {
    const std::set<unsigned> found = darwins_named_in(named);
    if (!found.empty() && text.empty()) text = what;
    darwins.insert(found.begin(), found.end());
  }
};

// A release that stands alone: "ventura", "13", "10.15".
void add_release(Evidence &evidence, const std::string &release, const std::string &what) {
  evidence.add(release, what);
  if (evidence.darwins.empty()) evidence.add("macos " + release, what);
}

// quickemu's settings lie beside its script or above it: macos_release="ventura".
std::string release_in_settings(const fs::path &script) {
  const fs::path name = script.stem().string() + ".conf";
  constexpr std::size_t kMostLines = 200;
  for (const fs::path &folder : {script.parent_path(), script.parent_path().parent_path()}) {
    std::error_code error;
    if (!fs::is_regular_file(folder / name, error)) continue;
    std::ifstream in(folder / name);
    std::string line;
    for (std::size_t n = 0; n < kMostLines && std::getline(in, line) && line.size() < 1000; ++n) {
      constexpr std::string_view kName = "macos_release=";
      if (!line.starts_with(kName)) continue;
      std::string value(text::trim(std::string_view(line).substr(kName.size())));
      std::erase_if(value, [](char c) { return c == '"' || c == '\''; });
      return value;
    }
  }
  return {};
}

// The last two parts of a path: a file's name, and its folder's.
std::string end_of(const fs::path &file) { return (file.parent_path().filename() / file.filename()).string(); }

Evidence of_images(const Machine &machine) {
  Evidence out;
  for (const Controller &controller : machine.hardware.controllers) {
    for (const Drive &drive : controller.drives) {
      if (!drive.medium) continue;
      for (const ImageFile &image : drive.medium->chain) {
        const std::string name = end_of(image.declared_location);
        out.add(name, "the image " + text::printable(name));
      }
    }
  }
  return out;
}

}  // namespace

void read_macos_release(Context &c) {
  Machine &machine = c.machine();
  if (machine.guest_os.family != OsFamily::macos) return;
  std::array<Evidence, 4> all;
  if (!c.launch.macos_release.empty()) {
    add_release(all[0], c.launch.macos_release,
                "the variable with the value " + text::printable(c.launch.macos_release));
  }
  if (const std::string release = release_in_settings(c.launch.where.file); !release.empty())
    add_release(all[1], release, "macos_release in quickemu's settings");
  all[2].add(machine.name, "the name " + text::printable(machine.name));
  all[3] = of_images(machine);
  for (const Evidence &evidence : all) {
    if (evidence.darwins.empty()) continue;
    if (evidence.darwins.size() > 1) return;  // an installer of one and a disk of another
    const unsigned darwin = *evidence.darwins.begin();
    machine.guest_os.darwin = darwin;
    machine.guest_os.label = macos_name(darwin);
    c.raise(kMacosRelease, c.launch.where,
            "The guest is taken for " + macos_name(darwin) + ", by " + evidence.text + ".");
    return;
  }
}

}  // namespace ferry::qemu
