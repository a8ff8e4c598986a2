// SPDX-License-Identifier: Apache-2.0
#include "migration/foreign_source.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <system_error>
#include <vector>

#include "converters/images/image.hpp"
#include "importers/ovf/ovf.hpp"
#include "model/names.hpp"

#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSources =
    "VirtualBox settings (.vbox), VMware configuration (.vmx), an OVF package (.ovf, .ova), a Vagrant box (.box), or a "
    "QEMU command";

struct Kind {
  std::string_view what, advice;
};

// What begins with these bytes.
struct Magic {
  std::string_view bytes;
  Kind kind;
};
constexpr std::string_view kUnpack = "Unpack it, and give the machine's file or folder.";
constexpr std::array<Magic, 12> kMagics{{
    {"PK\x03\x04", {"a ZIP archive", kUnpack}},
    {"7z\xBC\xAF\x27\x1C", {"a 7z archive", kUnpack}},
    {"Rar!\x1A\x07", {"a RAR archive", kUnpack}},
    {std::string_view("\xFD"
                      "7zXZ\0",
                      6),
     {"an xz-compressed file", "Decompress it with 'xz -d', and give what comes out."}},
    {"\x28\xB5\x2F\xFD", {"a zstd-compressed file", "Decompress it with 'zstd -d', and give what comes out."}},
    {"\x04\x22\x4D\x18", {"an lz4-compressed file", "Decompress it with 'lz4 -d', and give what comes out."}},
    {"BZh", {"a bzip2-compressed file", "Decompress it with 'bzip2 -d', and give what comes out."}},
    {"\x1F\x8B",
     {"a gzip-compressed file without a package in it",
      "Decompress it with 'gzip -d', and give what comes out; an OVA and a Vagrant box are read as they are."}},
    {"MRVN", {"VMware's firmware variables (.nvram)", "Give the machine's .vmx file, which lies beside it."}},
    {"vmcx",
     {"Hyper-V's configuration of a machine (.vmcx)",
      "Convert the machine's disk with 'virt-ferry disk convert DISK.vhdx "
      "NEW.qcow2', and create a machine for it with virt-install."}},
    {"\xD2\xBE\xD2\xBE", {"VMware's saved state of a machine", "Give the machine's .vmx file, which lies beside it."}},
    {"%PDF", {"a PDF document", "Check the name of the file."}},
}};

// What a text has near its beginning (in lower case).
struct Mark {
  std::string_view text;
  Kind kind;
};
constexpr std::string_view kFromHyperV =
    "Convert the machine's disk with 'virt-ferry disk convert DISK.vhdx NEW.qcow2', and "
    "create a machine for it with virt-install.";
constexpr std::array<Mark, 21> kMarks{{
    {"<!doctype html", {"a web page, probably an error page in place of a download", "Download the file again."}},
    {"<html", {"a web page, probably an error page in place of a download", "Download the file again."}},
    {"<parallelsvirtualmachine",
     {"a Parallels machine (config.pvs)",
      "Convert its disk, the .hds file in the .hdd folder, with 'virt-ferry disk "
      "convert', "
      "and create a machine for it with virt-install."}},
    {"<foundry", {"VMware's supplemental settings (.vmxf)", "Give the .vmx file of the same name."}},
    {"<configengineroot", {"the list of machines of a VMware host", "Give the .vmx file of one of them."}},
    {"<configroot", {"the list of machines of a VMware host", "Give the .vmx file of one of them."}},
    {"<domain", {"a libvirt domain, which libvirt reads itself", "Define it with 'virsh define FILE'."}},
    {"<vmwarevmtemplate", {"a VMware template", "Give the machine's .vmx file."}},
    {"<configuration", {"Hyper-V's or another program's settings", kFromHyperV}},
    {"snapshot.lastuid", {"VMware's list of a machine's snapshots (.vmsd)", "Give the .vmx file of the same name."}},
    {"snapshot.numsnapshots",
     {"VMware's list of a machine's snapshots (.vmsd)", "Give the .vmx file of the same name."}},
    {"vmlist",
     {"VMware's list of machines (inventory.vmls)",
      "Give the .vmx file of one of them, or one of the names that 'virt-ferry list' shows."}},
    {"pref.mruvm", {"VMware's preferences", "Give a .vmx file, or one of the names that 'virt-ferry list' shows."}},
    {"# disk descriptorfile",
     {"a VMDK's descriptor: a disk without a machine",
      "Give the .vmx or .ovf file, or convert the disk with 'virt-ferry disk convert'."}},
    {"vagrant.configure", {"a Vagrantfile", "Give the .box file, or the machine's folder under ~/.vagrant.d/boxes."}},
    {"sha1(", {"a package's manifest (.mf)", "Give the .ovf file of the same name."}},
    {"sha256(", {"a package's manifest (.mf)", "Give the .ovf file of the same name."}},
    {"sha512(", {"a package's manifest (.mf)", "Give the .ovf file of the same name."}},
    {"sha1 (", {"a package's manifest (.mf)", "Give the .ovf file of the same name."}},
    {"sha256 (", {"a package's manifest (.mf)", "Give the .ovf file of the same name."}},
    {"sha512 (", {"a package's manifest (.mf)", "Give the .ovf file of the same name."}},
}};

Error refusal(const fs::path &file, std::string what, std::string advice) {
  return {ErrorKind::malformed,
          {.where = {.file = file},
           .message = "this is not a virtual machine that virt-ferry can read",
           .found = std::move(what),
           .expected = std::string(kSources),
           .advice = std::move(advice)}};
}

bool is_blank(std::string_view head) {
  return std::all_of(head.begin(), head.end(), [](char c) { return c == '\0'; });
}

std::string suffix_of(const fs::path &file) { return text::lower_ascii(file.extension().string()); }

// Backups do not help a file that never was VirtualBox's.
std::string advice_for_lost(const fs::path &file) {
  if (suffix_of(file) == ".vbox") {
    const std::string backups = vbox_backups(file);
    return backups.empty()
               ? "Copy the machine again; NAME.vbox-prev, the copy that VirtualBox keeps beside it, is missing too."
               : backups;
  }
  return "Copy or download the file again.";
}

// A tar or gzip'd tar without an OVF descriptor.
std::optional<Error> as_archive(const fs::path &file) {
  const std::vector<std::string> names = ovf::first_members(file);
  const auto has = [&names](std::string_view ending) {
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string &name) { return text::lower_ascii(name).ends_with(ending); });
  };
  if (names.empty()) return std::nullopt;
  if (has("ova.xml"))
    return refusal(file, "an export of XenServer or XCP-ng (XVA)",
                   "Export the machine there as an OVF package, or its disks as VHD.");
  if (has(".vbox"))
    return refusal(file, "an archive with a VirtualBox machine", "Unpack it with 'tar xf', and give the .vbox file.");
  return refusal(file, "a tar archive without an OVF descriptor", std::string(kUnpack));
}

std::optional<Error> as_image(const fs::path &file) {
  ImageFile image;
  image.pieces.push_back({fs::absolute(file), 0, std::nullopt});
  ImageFormat format = ImageFormat::unknown;
  try {
    format = image::detect_format(image);
  } catch (const Error &) {
    return std::nullopt;
  }
  if (format == ImageFormat::unknown) return std::nullopt;
  if (format == ImageFormat::iso)
    return refusal(file, "a CD image (ISO)",
                   "Give the machine that it is inserted in, if there is one: a CD image needs no conversion.");
  return refusal(file, "a disk image (" + std::string(to_string(format)) + ") without a machine",
                 "Convert it with 'virt-ferry disk convert " + text::printable(file.filename().string()) +
                     " NEW.qcow2', or give the settings file of its machine.");
}

}  // namespace

bool has_machine_suffix(const fs::path &file) {
  const std::string suffix = suffix_of(file);
  return suffix == ".vbox" || suffix == ".vmx" || suffix == ".ovf" || suffix == ".ova";
}

std::string vbox_backups(const fs::path &vbox) {
  const std::string stem = vbox.stem().string();
  std::string previous;
  std::vector<std::string> older;
  std::error_code failed;
  for (const on_host::Entry &entry : on_host::list(vbox.parent_path(), failed)) {
    const std::string name = entry.path.filename().string();
    std::error_code ignored;
    if (!entry.is_file || on_host::file_size(entry.path, ignored) == 0) continue;
    if (name == stem + ".vbox-prev") previous = name;
    if (name.starts_with(stem + "-1.") && name.ends_with(".vbox")) older.push_back(name);
  }
  std::sort(older.begin(), older.end());
  std::string out;
  if (!previous.empty())
    out += "'" + text::printable(previous) +
           "' beside it is VirtualBox's copy of the settings from before the last change: "
           "give that file.";
  if (!older.empty())
    out += std::string(out.empty() ? "" : " ") + "'" + text::printable(older.back()) +
           "' has the settings from before an upgrade of VirtualBox, and can be given too.";
  return out;
}

Error foreign_source(const fs::path &file, std::string_view head) {
  if (head.empty()) return refusal(file, "an empty file", advice_for_lost(file));
  if (is_blank(head)) return refusal(file, "a file of zeros, as a crash may leave it", advice_for_lost(file));
  if (auto image = as_image(file)) return *std::move(image);
  for (const Magic &magic : kMagics) {
    if (!head.starts_with(magic.bytes)) continue;
    if (magic.bytes == "\x1F\x8B") {
      if (auto archive = as_archive(file)) return *std::move(archive);
    }
    return refusal(file, std::string(magic.kind.what), std::string(magic.kind.advice));
  }
  constexpr std::size_t kNear = 4096;  // bytes; comments may stand on top
  const std::string start = text::lower_ascii(head.substr(0, kNear));
  if (start.find("<virtualbox") != std::string::npos && start.find("<global") != std::string::npos)
    return refusal(file, "VirtualBox's list of machines (VirtualBox.xml)",
                   "Give the .vbox file of one of them, or one of the names that 'virt-ferry list' shows.");
  for (const Mark &mark : kMarks) {
    if (start.find(mark.text) != std::string::npos)
      return refusal(file, std::string(mark.kind.what), std::string(mark.kind.advice));
  }
  if (start.find("<!doctype") != std::string::npos)
    return {ErrorKind::malformed,
            {.where = {.file = file},
             .message = "the file has a DOCTYPE declaration",
             .expected = "plain XML without a document type",
             .advice = "Remove the declaration if you trust the file: neither VirtualBox nor VMware writes one."}};
  if (auto archive = as_archive(file)) return *std::move(archive);
  if (suffix_of(file) == ".vmcx" || suffix_of(file) == ".vmrs")
    return refusal(file, "Hyper-V's configuration of a machine", std::string(kFromHyperV));
  const bool text = text::is_valid_utf8(head.substr(0, head.size() < 4 ? 0 : head.size() - 4)) &&
                    head.find('\0') == std::string_view::npos;
  return refusal(file, text ? "text of an unknown kind" : "content of an unknown kind",
                 has_machine_suffix(file) ? advice_for_lost(file)
                                          : "For a disk image without a machine, use 'virt-ferry disk convert'.");
}

}  // namespace ferry::migration
