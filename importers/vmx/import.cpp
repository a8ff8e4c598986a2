// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "importers/vmware/guest_info.hpp"
#include "importers/vmx/findings.hpp"
#include "importers/vmx/reader.hpp"
#include "importers/vmx/snapshots.hpp"
#include "importers/vmx/vmx.hpp"

#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::vmx {
namespace {

// A machine that is encrypted as a whole shows its name and nothing else. vmx.encryptionType = "partial" (made for
// a TPM alone) encrypts the firmware's variables and the TPM's state; the settings and the disks stay readable.
void refuse_encrypted(Settings &settings) {
  if (!settings.has("encryption.keySafe") && !settings.has("encryption.data")) return;
  const std::string *kind = settings.peek("vmx.encryptionType");
  settings.hide("encryption.keySafe");
  settings.hide("encryption.data");
  if (kind != nullptr && text::iequals_ascii(*kind, "partial")) return;
  throw Error(ErrorKind::encrypted,
              {.where = settings.place(settings.has("encryption.keySafe") ? "encryption.keySafe" : "encryption.data"),
               .message = "the machine is encrypted; neither its settings nor its disks can be read",
               .found = "a key safe that covers the whole machine",
               .expected = "an unencrypted machine, or vmx.encryptionType = \"partial\"",
               .advice = "Remove the encryption in VMware (Settings, Options, Access Control) and try again."});
}

void demand_machine(const Settings &settings) {
  for (const char *key : {"config.version", "virtualHW.version", "guestOS", "memsize", "numvcpus", "displayName"}) {
    if (settings.has(key)) return;
  }
  throw Error(ErrorKind::malformed, {.where = {.file = settings.file()},
                                     .message = "the file is not the configuration of a VMware machine",
                                     .found = "none of the keys of such a file",
                                     .expected = "config.version, virtualHW.version and guestOS",
                                     .advice = "Choose the .vmx file in the machine's folder."});
}

void check_encoding(const Dictionary &dictionary, const std::filesystem::path &file, std::vector<Finding> &findings) {
  const std::string &declared = dictionary.declared_encoding;
  const bool ascii_or_declared =
      dictionary.encoding == "UTF-8" && (declared.empty() || text::iequals_ascii(declared, "UTF-8"));
  if (ascii_or_declared) return;
  const bool guessed_1252 = dictionary.encoding == "windows-1252" && !text::iequals_ascii(declared, "windows-1252");
  const bool ascii = std::none_of(dictionary.settings.begin(), dictionary.settings.end(), [](const Setting &setting) {
    return std::any_of(setting.value.begin(), setting.value.end(),
                       [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  });
  if (ascii || (!guessed_1252 && dictionary.encoding != "UTF-8")) return;
  findings.push_back(raise(kEncodingGuess, {file, std::nullopt, ".encoding"},
                           "the file declares " + (declared.empty() ? "no encoding" : text::printable(declared)) +
                               " and was read as " + dictionary.encoding));
}

// The byte that two hexadecimal digits at the front stand for; -1 without them.
int hex_pair(std::string_view text) {
  const auto high = text.empty() ? std::nullopt : text::hex_digit(text[0]);
  const auto low = text.size() < 2 ? std::nullopt : text::hex_digit(text[1]);
  return high && low ? static_cast<int>(*high * 16 + *low) : -1;
}

// vCenter writes the slash, the backslash and the percent sign of a name as %2f, %5c and %25; nothing else.
std::string plain_name(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const int code = name[i] == '%' ? hex_pair(name.substr(i + 1)) : -1;
    if (code == '/' || code == '\\' || code == '%') {
      out += static_cast<char>(code);
      i += 2;
    } else {
      out += name[i];
    }
  }
  return out;
}

bool says_yes(const Settings &settings, const char *key) {
  const std::string *value = settings.peek(key);
  return value != nullptr && parse_boolean(*value).value_or(false);
}

std::string product(const Settings &settings) {
  for (const char *key : {"vc.uuid", "sched.swap.derivedName", "vm.createDate", "sched.cpu.units"}) {
    if (settings.has(key)) return "VMware ESXi";
  }
  if (settings.file().string().find(".vmwarevm/") != std::string::npos || says_yes(settings, "smc.present")) {
    return "VMware Fusion";
  }
  return "VMware Workstation or Player";
}

// The 16 bytes that tell a guest that it runs from a copy, as two signed numbers: the first half of the bytes, which is
// what Active Directory keeps, and the second, each little-endian [believed: no VMware to ask; a wrong order would be
// another ID, as it is after a restore].
void read_generation_id(Settings &settings, Machine &machine) {
  const auto first = settings.number("vm.genid", "extra.generation.id");
  const auto second = settings.number("vm.genidX", "extra.generation.id");
  if (!first || !second || (*first == 0 && *second == 0)) return;
  std::array<std::uint8_t, 16> raw{};
  for (unsigned i = 0; i < 8; ++i) {
    raw[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(*first) >> (8 * i));
    raw[8 + i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(*second) >> (8 * i));
  }
  machine.extra["generation.id"] = Uuid::from_little_endian(raw).text();
}

void read_identity(Reader &reader, Machine &machine) {
  Settings &settings = reader.settings;
  machine.origin = settings.place("displayName");
  machine.name = plain_name(settings.filled("displayName", "name").value_or(settings.file().stem().string()));
  machine.description = settings.text("annotation", "description").value_or("");
  if (const std::string *version = settings.peek("virtualHW.version")) machine.source.format_version = *version;
  settings.settle("virtualHW.version", Disposition::irrelevant,
                  "which devices VMware offers; each is listed by itself");
  machine.source.product = product(settings);
  for (const char *key : {"vc.uuid", "uuid.location"}) {
    const std::string *value = settings.peek(key);
    if (value != nullptr && !machine.uuid) machine.uuid = Uuid::parse(text::trim(*value));
  }
  if (settings.boolean("disk.enableUUID", "extra.disk.enable_uuid").value_or(false))
    machine.extra["disk.enable_uuid"] = "true";
  read_generation_id(settings, machine);
  if (const auto smc = settings.boolean("smc.present", "extra.smc.present"))
    machine.extra["smc.present"] = *smc ? "true" : "false";
}

void read_saved_state(Reader &reader, Machine &machine) {
  const auto state = reader.settings.filled("checkpoint.vmState", "saved_state");
  if (!state) {
    reader.settings.settle("checkpoint.vmState", Disposition::irrelevant, "the machine is not suspended");
    return;
  }
  std::filesystem::path file = on_host::joined(reader.folder, *state);
  if (const auto found = locate_file(reader, *state)) file = *found;
  machine.saved_state = SavedState{file, reader.settings.place("checkpoint.vmState")};
  reader.find(kSuspended, "checkpoint.vmState", "the machine is suspended to \"" + text::printable(*state) + "\"");
}

// Cloud-init's data and OVF properties come to the guest through guestinfo. The ledger hides their values.
void read_guest_data(Reader &reader, Machine &machine) {
  constexpr std::string_view kPrefix = "guestinfo.";
  Settings &settings = reader.settings;
  vmware::GuestInfo values;
  for (const std::string &key : settings.keys_with(kPrefix)) values[key.substr(kPrefix.size())] = *settings.peek(key);
  vmware::GuestInfoRead read = vmware::read_guest_info(values, settings.file());
  const auto key_of = [&](const std::string &key) { return std::string(kPrefix) + key; };
  for (const auto &problem : read.problems)
    reader.find(kGuestinfo, key_of(problem.key),
                settings.place(key_of(problem.key)).path + " cannot be handed over: " + problem.why);
  for (const auto &[key, value] : values) {
    // Fedora CoreOS and its like ask VMware alone, whatever stands beside.
    if (key == "ignition.config.data" || key == "coreos.config.data")
      reader.find(kGuestinfo, key_of(key), "the guest is configured through " + settings.place(key_of(key)).path);
  }
  if (vmware::is_empty(read.data)) return;
  for (const auto &[key, field] : read.fields) (void)settings.text(key_of(key), "guest_data." + field);
  read.data.origin = settings.place(key_of(read.fields.begin()->first));
  machine.guest_data = std::move(read.data);
}

std::string lower_key(std::string_view line) {
  std::size_t equals = line.find('=');
  return equals == std::string_view::npos ? std::string() : text::lower_ascii(text::trim(line.substr(0, equals)));
}

}  // namespace

namespace {

ImportedMachine import_text(std::string_view bytes, const std::filesystem::path &path, const ImportOptions &options,
                            const Inside *inside, Ledger ledger) {
  const Dictionary dictionary = parse_dictionary(bytes, path);
  refuse_damage(bytes, path);
  ImportedMachine out;
  out.ledger = std::move(ledger);
  Machine &machine = out.machine;
  machine.source.kind = SourceKind::vmx;
  machine.source.file = path;
  Settings settings(dictionary, path, out.ledger, out.findings);
  refuse_encrypted(settings);
  demand_machine(settings);
  check_encoding(dictionary, path, out.findings);
  Reader reader{settings, out.findings, path.parent_path(), "hardware."};
  reader.places = options.places;
  reader.keep_disk_changes = options.keep_disk_changes;
  reader.inside = inside;
  machine.guest_os = guest_os_from_vmware(settings.filled("guestOS", "guest_os").value_or(""));
  reader.guest = machine.guest_os;
  const std::string *version = settings.peek("virtualHW.version");
  const auto number = version == nullptr ? std::nullopt : text::parse_u64(text::trim(*version));
  reader.hardware_version = static_cast<unsigned>(std::min<std::uint64_t>(number.value_or(0), 1000));
  read_identity(reader, machine);
  machine.hardware = read_hardware(reader);
  if (machine.hardware.firmware.nvram_encrypted) {
    reader.find(kPartlyEncrypted, "vmx.encryptionType", "the firmware's variables and the TPM's state are encrypted");
  }
  read_saved_state(reader, machine);
  read_guest_data(reader, machine);
  if (inside == nullptr) read_snapshots(reader, out.ledger, machine, options.snapshots_needed);
  settings.settle_known();
  return out;
}

}  // namespace

ImportedMachine import_file(const std::filesystem::path &file, const ImportOptions &options) {
  const std::filesystem::path path = std::filesystem::absolute(file).lexically_normal();
  return import_text(read_text_file(path, kDictionaryLimit), path, options, nullptr, {});
}

ImportedMachine import_inside(std::string_view bytes, const std::filesystem::path &shown_as,
                              const ImportOptions &options, const Inside &inside, Ledger ledger) {
  return import_text(bytes, shown_as, options, &inside, std::move(ledger));
}

bool looks_like_vmx(std::string_view head) {
  static constexpr std::array<std::string_view, 3> kTelling{"config.version", "virtualhw.version",
                                                            "encryption.keysafe"};
  if (head.find('\0') != std::string_view::npos) return false;
  if (head.substr(0, 3) == "\xEF\xBB\xBF") head.remove_prefix(3);
  if (head.substr(0, 17) == "#!/usr/bin/vmware") return true;
  while (!head.empty()) {
    const std::size_t end = std::min(head.find('\n'), head.size());
    const std::string key = lower_key(head.substr(0, end));
    if (std::find(kTelling.begin(), kTelling.end(), key) != kTelling.end()) return true;
    head.remove_prefix(std::min(end + 1, head.size()));
  }
  return false;
}

}  // namespace ferry::vmx
