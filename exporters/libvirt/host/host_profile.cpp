// SPDX-License-Identifier: Apache-2.0
// The recorded form of a host profile: JSON, one object, tagged with the version of this layout. Every member of
// the struct is a member of the object under the same name; a version is "9.0.0" in the file, for people.
#include "exporters/libvirt/host/host_profile.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "support/error.hpp"
#include "support/file.hpp"
#include "support/text.hpp"

namespace ferry::libvirt {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr const char *kVersionTag = "virt_ferry_host_profile";
constexpr unsigned kLayoutVersion = 1;
// A profile of a host with thousands of domains is well below this; a larger file is not a profile.
constexpr std::size_t kMaxProfileBytes = std::size_t{16} << 20U;

// A libvirt or QEMU version, major * 1000000 + minor * 1000 + release, shown as "major.minor.release".
template <class Unsigned>
struct Version {
  Unsigned &value;
};
template <class Unsigned>
Version(Unsigned &) -> Version<Unsigned>;

// One list of the members for both directions, so that no field can be written and not read.
template <class Visitor, class Descriptor>
void visit_firmware(Visitor &visit, Descriptor &firmware) {
  visit("description", firmware.description);
  visit("loader", firmware.loader);
  visit("nvram_template", firmware.nvram_template);
  visit("architecture", firmware.architecture);
  visit("machines", firmware.machines);
  visit("features", firmware.features);
  visit("vars_size", firmware.vars_size);
}

template <class Visitor, class Profile>
void visit_profile(Visitor &visit, Profile &profile) {
  visit("name", profile.name);
  visit("built_in", profile.built_in);
  visit("uri", profile.uri);
  visit("libvirt_version", Version{profile.libvirt_version});
  visit("qemu_version", Version{profile.qemu_version});
  visit("architecture", profile.architecture);
  visit("emulator", profile.emulator);
  visit("kvm", profile.kvm);
  visit("ipv6", profile.ipv6);
  visit("max_vcpus", profile.max_vcpus);
  visit("machine_types", profile.machine_types);
  visit("cpu_modes", profile.cpu_modes);
  visit("cpu_models", profile.cpu_models);
  visit("disk_buses", profile.disk_buses);
  visit("graphics", profile.graphics);
  visit("video_models", profile.video_models);
  visit("sound_models", profile.sound_models);
  visit("nic_models", profile.nic_models);
  visit("scsi_models", profile.scsi_models);
  visit("usb_models", profile.usb_models);
  visit("tpm_models", profile.tpm_models);
  visit("tpm_backends", profile.tpm_backends);
  visit("hyperv_features", profile.hyperv_features);
  visit("network_backends", profile.network_backends);
  visit("filesystem_drivers", profile.filesystem_drivers);
  visit("char_types", profile.char_types);
  visit("usb_redirection", profile.usb_redirection);
  visit("nvme_device", profile.nvme_device);
  visit("smartcard", profile.smartcard);
  visit("virgl", profile.virgl);
  visit("firmware", profile.firmware);
  visit("bridges", profile.bridges);
  visit("networks", profile.networks);
  visit("domain_names", profile.domain_names);
  visit("domain_uuids", profile.domain_uuids);
  visit("mac_addresses", profile.mac_addresses);
  visit("swtpm_setup", profile.swtpm_setup);
  visit("virtiofsd", profile.virtiofsd);
  visit("passt", profile.passt);
  visit("osinfo_db", profile.osinfo_db);
  visit("landlock", profile.landlock);
  visit("seccomp", profile.seccomp);
  visit("image_folder", profile.image_folder);
}

// ---- writing ----

struct Writer {
  OrderedJson out = OrderedJson::object();

  template <class Value>
  void operator()(const char *name, const Value &value) {
    out[name] = value;
  }
  void operator()(const char *name, const std::filesystem::path &value) { out[name] = value.string(); }
  void operator()(const char *name, Version<const unsigned> version) {
    out[name] = std::to_string(version.value / 1000000) + "." + std::to_string(version.value / 1000 % 1000) + "." +
                std::to_string(version.value % 1000);
  }
  void operator()(const char *name, const std::vector<target::FirmwareImage> &list) {
    OrderedJson array = OrderedJson::array();
    for (const target::FirmwareImage &firmware : list) {
      Writer writer;
      visit_firmware(writer, firmware);
      array.push_back(std::move(writer.out));
    }
    out[name] = std::move(array);
  }
};

// ---- reading ----

std::optional<unsigned> parse_version(std::string_view version) {
  unsigned value = 0;
  for (unsigned part = 0; part < 3; ++part) {
    const std::size_t dot = version.find('.');
    if ((dot == std::string_view::npos) != (part == 2)) return std::nullopt;
    const auto number = text::parse_u64(version.substr(0, dot));
    if (!number || *number > 999) return std::nullopt;
    value = value * 1000 + static_cast<unsigned>(*number);
    version.remove_prefix(dot == std::string_view::npos ? version.size() : dot + 1);
  }
  return value;
}

// Takes the members of one object; a member that is not there leaves the struct's default.
class Reader {
 public:
  Reader(const OrderedJson &object, const std::filesystem::path &file, std::string path)
      : object_(object), file_(file), path_(std::move(path)) {
    if (!object.is_object()) throw malformed(path_.empty() ? "/" : path_, object.type_name(), "an object");
  }

  void operator()(const char *name, std::string &value) {
    if (const OrderedJson *member = take(name)) value = string(*member, name);
  }
  void operator()(const char *name, std::filesystem::path &value) {
    if (const OrderedJson *member = take(name)) value = string(*member, name);
  }
  void operator()(const char *name, bool &value) {
    const OrderedJson *member = take(name);
    if (member == nullptr) return;
    if (!member->is_boolean()) throw malformed(at(name), member->type_name(), "true or false");
    value = member->get<bool>();
  }
  void operator()(const char *name, unsigned &value) { value = static_cast<unsigned>(number(name, value, UINT32_MAX)); }
  void operator()(const char *name, std::uint64_t &value) { value = number(name, value, UINT64_MAX); }
  void operator()(const char *name, Version<unsigned> version) {
    const OrderedJson *member = take(name);
    if (member == nullptr) return;
    const std::string shown = string(*member, name);
    const auto parsed = parse_version(shown);
    if (!parsed) throw malformed(at(name), '"' + text::printable(shown) + '"', R"(a version such as "9.0.0")");
    version.value = *parsed;
  }
  void operator()(const char *name, std::set<std::string> &value) {
    for (const OrderedJson &item : array(name)) value.insert(string(item, name));
  }
  void operator()(const char *name, std::vector<std::string> &value) {
    for (const OrderedJson &item : array(name)) value.push_back(string(item, name));
  }
  void operator()(const char *name, std::map<std::string, std::string> &value) {
    const OrderedJson *member = take(name);
    if (member == nullptr) return;
    if (!member->is_object()) throw malformed(at(name), member->type_name(), "an object");
    for (const auto &[key, item] : member->items()) value[key] = string(item, name);
  }
  void operator()(const char *name, std::vector<target::FirmwareImage> &value) {
    std::size_t index = 0;
    for (const OrderedJson &item : array(name)) {
      Reader reader(item, file_, at(name) + '/' + std::to_string(index++));
      visit_firmware(reader, value.emplace_back());
      reader.finish();
    }
  }

  void skip(const char *name) { taken_.insert(name); }

  // Throws Error malformed for a member that nothing asked for.
  void finish() const {
    for (const auto &[key, value] : object_.items()) {
      if (!taken_.contains(key)) throw malformed(path_ + '/' + text::printable(key), "a member of that name", "none");
    }
  }

 private:
  [[nodiscard]] std::string at(const char *name) const { return path_ + '/' + name; }

  [[nodiscard]] Error malformed(std::string path, std::string found, std::string expected) const {
    return {ErrorKind::malformed,
            {.where = {.file = file_, .line = std::nullopt, .path = std::move(path)},
             .message = "this is not a host profile that this version can read",
             .found = std::move(found),
             .expected = std::move(expected),
             .advice = "Record the profile again on that host, with this version."}};
  }

  const OrderedJson *take(const char *name) {
    taken_.insert(name);
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }

  [[nodiscard]] std::string string(const OrderedJson &value, const char *name) const {
    if (!value.is_string()) throw malformed(at(name), value.type_name(), "a string");
    return value.get<std::string>();
  }

  [[nodiscard]] const OrderedJson &array(const char *name) {
    static const OrderedJson kEmpty = OrderedJson::array();
    const OrderedJson *member = take(name);
    if (member == nullptr) return kEmpty;
    if (!member->is_array()) throw malformed(at(name), member->type_name(), "an array");
    return *member;
  }

  std::uint64_t number(const char *name, std::uint64_t standard, std::uint64_t limit) {
    const OrderedJson *member = take(name);
    if (member == nullptr) return standard;
    if (!member->is_number_unsigned() || member->get<std::uint64_t>() > limit) {
      throw malformed(at(name), member->dump(), "a whole number up to " + std::to_string(limit));
    }
    return member->get<std::uint64_t>();
  }

  const OrderedJson &object_;
  const std::filesystem::path &file_;
  std::string path_;
  std::set<std::string> taken_;
};

std::string read_profile(const std::filesystem::path &file) {
  std::error_code failed;
  if (std::filesystem::exists(file, failed) && !std::filesystem::is_regular_file(file, failed)) {
    // A FIFO would be waited for, and a device never ends.
    throw Error(ErrorKind::usage, {.where = {.file = file, .line = std::nullopt, .path = {}},
                                   .message = "this is not a host profile",
                                   .found = "something that is not a regular file",
                                   .expected = "a file that 'virt-ferry host' wrote"});
  }
  std::string bytes = file::read_start(file, kMaxProfileBytes + 1);
  if (bytes.size() > kMaxProfileBytes) {
    throw Error(ErrorKind::malformed, {.where = {.file = file, .line = std::nullopt, .path = {}},
                                       .message = "the file is too large for a host profile",
                                       .found = std::to_string(bytes.size()) + " bytes",
                                       .expected = "at most " + std::to_string(kMaxProfileBytes)});
  }
  return bytes;
}

}  // namespace

std::string host_profile_json(const HostProfile &profile) {
  Writer writer;
  writer.out[kVersionTag] = kLayoutVersion;
  visit_profile(writer, profile);
  // Descriptor texts and domain names come from the host: bytes that are not UTF-8 must not stop the recording.
  return writer.out.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + '\n';
}

HostProfile load_host_profile(const std::filesystem::path &file) {
  const OrderedJson document = OrderedJson::parse(read_profile(file), nullptr, false);
  const OrderedJson *tag = document.is_object() && document.contains(kVersionTag) ? &document.at(kVersionTag) : nullptr;
  if (tag == nullptr || *tag != kLayoutVersion) {
    throw Error(ErrorKind::malformed,
                {.where = {.file = file, .line = std::nullopt, .path = std::string("/") + kVersionTag},
                 .message = "this is not a host profile that this version can read",
                 .found = document.is_discarded() ? "something that is not JSON"
                          : tag == nullptr        ? "no such member"
                                                  : tag->dump(),
                 .expected = std::to_string(kLayoutVersion),
                 .advice = "Record the profile again on that host, with this version."});
  }
  HostProfile profile;
  Reader reader(document, file, "");
  reader.skip(kVersionTag);
  visit_profile(reader, profile);
  reader.finish();
  return profile;
}

}  // namespace ferry::libvirt
