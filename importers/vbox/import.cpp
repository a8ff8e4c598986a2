// SPDX-License-Identifier: Apache-2.0
// VirtualBox machine settings: XML, <VirtualBox version="1.19-linux"> with one <Machine>. Facts: VirtualBox's settings
// schema and manual, and files that VirtualBox 6.1, 7.0 and 7.2 wrote. What a file leaves out has the default of the
// version that it names, not of today's. Known deviants: files written by hand that lack parts; machine folders copied
// from other hosts, with locations that mean nothing here; a linked clone whose disks another machine's file lists.
#include <algorithm>

#include "importers/vbox/findings.hpp"
#include "importers/vbox/location.hpp"
#include "importers/vbox/scope.hpp"
#include "importers/vbox/vbox.hpp"

#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::vbox {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void malformed(Place where, std::string message, std::string found, std::string expected) {
  throw Error(ErrorKind::malformed, {.where = std::move(where),
                                     .message = std::move(message),
                                     .found = std::move(found),
                                     .expected = std::move(expected),
                                     .advice = "Copy the settings file again, or take it from a backup."});
}

SettingsVersion version_of(const SettingsReader &element, std::string_view fallback) {
  const std::string *written = element.element().attribute("version");
  const std::string text = written != nullptr ? *written : std::string(fallback);
  const auto version = SettingsVersion::parse(text);
  if (!version) {
    malformed(element.place("version"), "the settings version cannot be understood",
              written == nullptr ? "nothing" : "\"" + text::printable(text) + "\"", "a version such as \"1.19-linux\"");
  }
  return *version;
}

void check_version(Import &in, const SettingsReader &element) {
  if (in.version.major > 1 || in.version.minor > kNewestKnownMinor) {
    in.find(kNewerVersion, element.place("version"),
            "the settings version is " + std::to_string(in.version.major) + "." + std::to_string(in.version.minor) +
                "; the newest that is known is 1." + std::to_string(kNewestKnownMinor));
  }
}

void read_identity(Import &in, const SettingsReader &element) {
  Machine &machine = in.machine;
  machine.origin = element.place();
  const auto name = element.text("name", "name");
  if (!name || name->empty()) malformed(element.place("name"), "the machine has no name", "nothing", "name=\"...\"");
  machine.name = *name;
  const auto uuid = element.text("uuid", "uuid");
  machine.uuid = uuid ? Uuid::parse(text::trim(*uuid)) : std::nullopt;
  if (!machine.uuid) {
    malformed(element.place("uuid"), "the machine has no valid UUID",
              uuid ? "\"" + text::printable(*uuid) + "\"" : "nothing", "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}");
  }
  machine.guest_os = guest_os_from_virtualbox(element.text("OSType", "guest_os").value_or(""));
  machine.description = element.text("Description", "description").value_or("");
  if (const auto below = element.child("Description")) {
    if (auto text = below->content("description")) machine.description = std::move(*text);
  }
  if (const auto groups = element.child("Groups")) {
    for (const SettingsReader &group : groups->children("Group")) {
      const std::string field = "groups." + std::to_string(machine.groups.size());
      if (auto path = group.text("name", field)) machine.groups.push_back(std::move(*path));
    }
  }
}

void read_state(Import &in, const SettingsReader &element) {
  Machine &machine = in.machine;
  machine.current_state_modified = element.boolean("currentStateModified", "current_state_modified").value_or(true);
  if (const auto file = element.text("stateFile", "saved_state"); file && !file->empty()) {
    const names::Found found = names::find(*file, in.folder, in.places);
    machine.saved_state =
        SavedState{found.file.value_or(on_host::joined(in.folder, names::with_slashes(*file)).lexically_normal()),
                   element.place("stateFile")};
  }
  const std::string *aborted = element.element().attribute("aborted");
  const bool dirty = aborted != nullptr && (same_word("true", *aborted) || same_word("1", *aborted));
  if (dirty) in.find(kAborted, element.place("aborted"), "the machine was not shut down before VirtualBox ended");
  element.settle("aborted", Disposition::irrelevant, "whether VirtualBox ended cleanly");
}

// The same image in the current state and in snapshots is found missing, moved or outside once, not each time.
void drop_repeated(std::vector<Finding> &findings) {
  std::vector<Finding> once;
  for (Finding &finding : findings) {
    if (std::find(once.begin(), once.end(), finding) == once.end()) once.push_back(std::move(finding));
  }
  findings = std::move(once);
}

void read_machine(Import &in, const ImportOptions &options, const SettingsReader &root, const SettingsReader &element) {
  check_version(in, root);
  read_identity(in, element);
  read_state(in, element);
  if (in.media != nullptr) {
    for (const std::string_view name : {"MediaRegistry", "DiskRegistry"}) {
      if (const auto registry = element.child(name)) in.media->own().read(*registry, in.folder, true);
    }
  }
  read_hardware(in, element, "hardware", in.machine.hardware);
  read_snapshots(in, element);
  report_unused_disks(in);
  report_locked_disks(in, element);
  apply_auto_reset(in, options.keep_disk_changes.value_or(false));
  read_extra_data(in, element);
  settle_housekeeping(in, root);
  drop_repeated(in.findings);
}

// VirtualBox 7.2 and newer name themselves in the comment on top.
std::string product_of(std::string_view bytes) {
  constexpr std::string_view kWritten = "Written by VirtualBox ";
  constexpr std::size_t kHead = 1024;  // bytes; the comment stands on top
  const std::size_t at = bytes.substr(0, kHead).find(kWritten);
  if (at == std::string_view::npos) return "VirtualBox";
  std::string_view rest = bytes.substr(at + kWritten.size());
  rest = rest.substr(0, rest.find_first_not_of("0123456789."));
  return "VirtualBox " + std::string(rest.substr(0, 16));
}

void refuse_others(const SettingsReader &root) {
  if (root.element().name != "VirtualBox") {
    malformed(root.place(), "this is not a VirtualBox machine", "<" + text::printable(root.element().name) + ">",
              "<VirtualBox>");
  }
  if (const auto encrypted = root.child("MachineEncrypted")) {
    throw Error(
        ErrorKind::encrypted,
        {.where = encrypted->place(),
         .message = "the whole machine is encrypted; none of it can be read without the password",
         .advice = "Decrypt it first: VBoxManage encryptvm NAME setencryption --old-password FILE. That starts no "
                   "machine and needs no kernel module, so that any computer with VirtualBox and its Extension Pack "
                   "will do."});
  }
  if (root.child("Machine")) return;
  if (const auto global = root.child("Global")) {
    throw Error(ErrorKind::unsupported, {.where = global->place(),
                                         .message = "this is VirtualBox's list of machines, not a machine",
                                         .expected = "the settings of one machine, NAME.vbox",
                                         .advice = "Name one of the machines that \"virt-ferry list\" shows."});
  }
  malformed(root.place(), "the file describes no machine", "no <Machine>", "<Machine> in <VirtualBox>");
}

}  // namespace

ImportedMachine import_file(const fs::path &file, const ImportOptions &options) {
  const fs::path absolute = fs::absolute(file).lexically_normal();
  const std::string bytes = read_settings_file(absolute);
  const xml::Element tree = xml::parse(bytes, absolute);
  ImportedMachine out;
  const SettingsReader root = SettingsReader::open(tree, absolute, out.ledger);
  refuse_others(root);
  MediaLibrary media(absolute, options, out.findings);
  Import in{
      version_of(root, ""), absolute, absolute.parent_path(), out.machine, out.findings, options.places, &media, {}};
  out.machine.source = {SourceKind::vbox, absolute, *tree.attribute("version"), product_of(bytes)};
  read_machine(in, options, root, *root.child("Machine"));
  return out;
}

ImportedMachine import_embedded(const xml::Element &machine, const fs::path &ovf_file, const ImportOptions &options,
                                std::string *nvram) {
  ImportedMachine out;
  const SettingsReader element = SettingsReader::open(machine, ovf_file, out.ledger);
  // VirtualBox 5.0 and older left the version out of OVF files that it wrote in the format of 1.15.
  constexpr std::string_view kOldest = "1.15";
  Import in{version_of(element, kOldest),
            ovf_file,
            ovf_file.parent_path(),
            out.machine,
            out.findings,
            options.places,
            nullptr,
            {}};
  const std::string *version = machine.attribute("version");
  out.machine.source = {SourceKind::ovf, ovf_file, version == nullptr ? std::string(kOldest) : *version, "VirtualBox"};
  read_machine(in, options, element, element);
  if (nvram != nullptr) *nvram = in.embedded_nvram;
  return out;
}

bool looks_like_vbox(std::string_view head) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (head.starts_with(kByteOrderMark)) head.remove_prefix(kByteOrderMark.size());
  for (;;) {
    head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
    const std::string_view end = head.starts_with("<?") ? "?>" : head.starts_with("<!--") ? "-->" : "";
    if (end.empty()) break;
    const std::size_t at = head.find(end);
    if (at == std::string_view::npos) return false;
    head.remove_prefix(at + end.size());
  }
  constexpr std::string_view kRoot = "<VirtualBox";
  if (!head.starts_with(kRoot)) return false;
  const char after = head.size() > kRoot.size() ? head[kRoot.size()] : '>';
  // VirtualBox.xml has the same root, and <Global> first.
  return (after == ' ' || after == '>' || after == '\t' || after == '\r' || after == '\n') &&
         head.find("<Global") == std::string_view::npos;
}

}  // namespace ferry::vbox
