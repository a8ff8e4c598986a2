// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/domain_files.hpp"

#include "support/xml.hpp"

namespace ferry::libvirt {

namespace {

const std::filesystem::path kShownFiles = "libvirt domain";

bool is_removable(const xml::Element &disk) {
  const std::string *device = disk.attribute("device");
  return device != nullptr && (*device == "cdrom" || *device == "floppy");
}

class FileCollector {
 public:
  FileCollector(const VolumePath &volume_path, target::MachineFiles &out) : volume_path_(volume_path), out_(out) {}

  void add(const xml::Element &element) {
    for (const xml::Element &child : element.children) {
      if (child.name == "disk") {
        add_sources(child, is_removable(child));
      } else if (child.name == "nvram") {
        if (!child.text.empty()) out_.all.insert(child.text);
        add_sources(child, true);  // <nvram type='file'><source file=.../></nvram>, since libvirt 8.5
      } else if (child.name == "commandline") {
        add_arguments(child);
      } else if ((child.name == "kernel" || child.name == "initrd") && !child.text.empty()) {
        out_.all.insert(child.text);
      } else {
        add(child);
      }
    }
  }

 private:
  // Disks that libvirt does not have, as we write them: -drive file=...
  void add_arguments(const xml::Element &line) {
    constexpr std::string_view kFile = "file=";
    bool drive = false;
    for (const xml::Element &child : line.children) {
      const std::string *value = child.attribute("value");
      if (value == nullptr) continue;
      if (drive && value->starts_with(kFile)) {
        std::string file;
        for (std::size_t i = kFile.size(); i < value->size(); ++i) {
          if ((*value)[i] == ',' && ++i < value->size() && (*value)[i] != ',') break;
          if (i < value->size()) file += (*value)[i];
        }
        add_file(&file, false);
      }
      drive = *value == "-drive";
    }
  }

  // A disk's own image stands in its <source>, those under it in <backingStore>s inside of each other.
  void add_sources(const xml::Element &element, bool removable) {
    for (const xml::Element &child : element.children) {
      if (child.name == "source" || child.name == "dataStore") {
        for (const char *name : {"file", "dev"}) add_file(child.attribute(name), removable);
        add_volume(child, removable);
      }
      add_sources(child, removable);
    }
  }

  void add_file(const std::string *file, bool removable) {
    if (file == nullptr || file->empty()) return;
    out_.all.insert(*file);
    if (!removable) out_.disks.insert(*file);
  }

  void add_volume(const xml::Element &source, bool removable) {
    const std::string *pool = source.attribute("pool"), *volume = source.attribute("volume");
    if (pool == nullptr || volume == nullptr || !volume_path_) return;
    const std::string file = volume_path_(*pool, *volume);
    add_file(&file, removable);
  }

  const VolumePath &volume_path_;
  target::MachineFiles &out_;
};

}  // namespace

void add_files_of_domain(std::string_view xml, target::MachineFiles &out, const VolumePath &volume_path) {
  FileCollector(volume_path, out).add(xml::parse(xml, kShownFiles));
}

}  // namespace ferry::libvirt
