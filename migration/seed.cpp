// SPDX-License-Identifier: Apache-2.0
#include "migration/seed.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "migration/findings.hpp"

#include "support/text.hpp"
#include "support/xml.hpp"

namespace ferry::migration {
namespace {

// cloud-init's look for either is by these names (its ds-identify).
constexpr auto kNoCloudLabel = "cidata", kEnvironmentLabel = "OVF ENV";

// A text as YAML, of which JSON is a part.
std::string as_yaml(const std::string &text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

const ObservedLinux *with_cloud_init(const Observed *observed) {
  if (observed == nullptr) return nullptr;
  const auto found = std::find_if(observed->linux_systems.begin(), observed->linux_systems.end(),
                                  [](const ObservedLinux &one) { return one.cloud_init; });
  return found == observed->linux_systems.end() ? nullptr : &*found;
}

// The text of a property; empty: none.
std::string value_of(const GuestData &data, const std::string &key) {
  for (const DeploymentProperty &property : data.properties) {
    if (property.key == key) return property.value;
  }
  return {};
}

// OVF's environment. `instance_id`: what cloud-init's OVF source takes for it; empty: the package's own.
std::string environment(const std::string &name, const GuestData &data, const std::string &instance_id) {
  constexpr auto kSpace = "http://schemas.dmtf.org/ovf/environment/1";
  xml::Document document("Environment");
  xml::Node root = document.root();
  root.set("xmlns", kSpace);
  root.set("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
  root.set("xmlns:oe", kSpace);
  root.set("oe:id", name);
  xml::Node platform = root.child("PlatformSection");
  platform.child("Kind", "QEMU");
  platform.child("Locale", "en");
  xml::Node section = root.child("PropertySection");
  bool said = instance_id.empty();
  const auto add = [&](const std::string &key, const std::string &value) {
    section.child("Property").set("oe:key", key).set("oe:value", value);
  };
  for (const DeploymentProperty &property : data.properties) {
    const bool identity = property.key == "instance-id" && !instance_id.empty();
    said = said || identity;
    add(property.key, identity ? instance_id : property.value);
  }
  if (!said) add("instance-id", instance_id);
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + document.text();
}

class Seeder {
 public:
  Seeder(const Machine &machine, const Observed *observed, const Options &options, const Uuid &uuid,
         const std::filesystem::path &target)
      : machine_(machine),
        data_(*machine.guest_data),
        system_(with_cloud_init(observed)),
        options_(options),
        uuid_(uuid),
        target_(target) {}

  SeedDecision decide() {
    if (!options_.seed) {
      raise_at(kSeedLeftOut,
               "what the source's platform hands to the guest (" + kinds() + ") is left behind, as asked");
      out_.settlements.push_back({"guest_data", Disposition::dropped, "left behind by --seed off"});
      return std::move(out_);
    }
    const bool known = system_ != nullptr && !system_->instance_id.empty();
    if (!known) tell_missing_values();
    SeedPlan seed{.target = target_, .label = {}, .files = {}};
    const bool documents = !data_.user_data.empty() || !data_.vendor_data.empty() || !data_.meta_data.empty() ||
                           !data_.instance_id.empty() || !data_.network_config.empty();
    const bool by_environment = data_.on_cd && !documents;
    seed.label = by_environment ? kEnvironmentLabel : kNoCloudLabel;
    if (!by_environment) add_documents(seed.files);
    if (!data_.properties.empty())
      seed.files.push_back(
          {"ovf-env.xml", environment(machine_.name, data_, known ? system_->instance_id : std::string())});
    tell(by_environment);
    out_.settlements.push_back({"guest_data", Disposition::translated, "on the CD " + target_.filename().string()});
    out_.seed = std::move(seed);
    return std::move(out_);
  }

 private:
  void raise_at(const FindingKind &kind, const std::string &message) {
    out_.findings.push_back(raise(kind, data_.origin, message));
  }

  // What there is, for people.
  [[nodiscard]] std::string kinds() const {
    std::string out;
    const auto add = [&](bool there, const std::string &what) {
      if (there) out += (out.empty() ? "" : ", ") + what;
    };
    add(!data_.user_data.empty(), "user data");
    add(!data_.vendor_data.empty(), "vendor data");
    add(!data_.meta_data.empty() || !data_.instance_id.empty(), "metadata");
    add(!data_.network_config.empty(), "a network configuration");
    const std::size_t count = data_.properties.size();
    add(count > 0, std::to_string(count) + (count == 1 ? " OVF property" : " OVF properties"));
    return out;
  }

  // A guest that was set up needs nothing any more.
  void tell_missing_values() {
    std::string list;
    const DeploymentProperty *first = nullptr;
    for (const DeploymentProperty &property : data_.properties) {
      if (!property.required || !property.value.empty()) continue;
      if (first == nullptr) first = &property;
      list += (list.empty() ? "" : ", ") + text::printable(property.key) +
              (property.label.empty() ? "" : " (" + text::printable(property.label) + ")");
    }
    if (first == nullptr) return;
    out_.findings.push_back(
        raise(kSeedValues, first->origin, "the package wants values for its guest that it does not have: " + list));
  }

  [[nodiscard]] std::string instance_id() const {
    if (system_ != nullptr && !system_->instance_id.empty()) return system_->instance_id;
    if (!data_.instance_id.empty()) return data_.instance_id;
    if (std::string given = value_of(data_, "instance-id"); !given.empty()) return given;
    return uuid_.text();  // cloud-init's own choice on VMware
  }

  // As cloud-init's OVF source takes them from properties.
  [[nodiscard]] std::string metadata_of_properties() const {
    std::string out;
    if (const std::string name = value_of(data_, "hostname"); !name.empty() && data_.meta_data.empty())
      out += "local-hostname: " + as_yaml(name) + "\n";
    const std::string keys = value_of(data_, "public-keys");
    if (!keys.empty() && data_.meta_data.empty()) out += "public-keys:\n  - " + as_yaml(keys) + "\n";
    return out;
  }

  [[nodiscard]] std::string user_data() const {
    if (!data_.user_data.empty()) return data_.user_data;
    const std::string property = value_of(data_, "user-data");
    return text::from_base64(property).value_or(property);
  }

  [[nodiscard]] std::string vendor_data() const {
    if (!data_.vendor_data.empty()) return data_.vendor_data;
    const std::string password = value_of(data_, "password");
    return password.empty() ? "" : "#cloud-config\npassword: " + as_yaml(password) + "\n";
  }

  void add_documents(std::vector<seed::File> &files) const {
    files.push_back(
        {"meta-data", "instance-id: " + as_yaml(instance_id()) + "\n" + metadata_of_properties() + data_.meta_data});
    files.push_back({"user-data", user_data()});  // NoCloud wants the file even if nothing is in it
    if (const std::string vendor = vendor_data(); !vendor.empty()) files.push_back({"vendor-data", vendor});
    if (!data_.network_config.empty()) files.push_back({"network-config", data_.network_config});
  }

  void tell(bool by_environment) {
    std::string message = "what the source's platform hands to the guest (" + kinds() + ") is on the CD " +
                          target_.filename().string() +
                          (by_environment ? ", as an OVF environment" : ", as cloud-init's NoCloud");
    if (system_ != nullptr && !system_->instance_id.empty())
      message += ", for the instance that it was set up as, " + text::printable(system_->instance_id);
    raise_at(kSeedMade, message);
  }

  const Machine &machine_;
  const GuestData &data_;
  const ObservedLinux *system_;
  const Options &options_;
  const Uuid &uuid_;
  const std::filesystem::path &target_;
  SeedDecision out_;
};

bool takes_cds(ControllerType type) {
  return is_ide(type) || type == ControllerType::ahci || type == ControllerType::virtio_scsi ||
         type == ControllerType::lsilogic_sas || type == ControllerType::pvscsi;
}

// The first free place of a controller: an IDE chip has two channels with two drives each.
std::optional<Drive> free_place(const Controller &controller) {
  constexpr unsigned kMostPorts = 6;
  const unsigned devices = is_ide(controller.type) ? 2 : 1;
  const unsigned ports = is_ide(controller.type) ? 2 : std::min(controller.ports.value_or(kMostPorts), kMostPorts);
  for (unsigned port = 0; port < ports; ++port) {
    for (unsigned device = 0; device < devices; ++device) {
      const bool taken = std::any_of(controller.drives.begin(), controller.drives.end(),
                                     [&](const Drive &drive) { return drive.port == port && drive.device == device; });
      if (taken) continue;
      Drive out;
      out.kind = DriveKind::cdrom;
      out.port = port;
      out.device = device;
      return out;
    }
  }
  return std::nullopt;
}

}  // namespace

SeedDecision decide_seed(const Machine &machine, const Observed *observed, const Options &options, const Uuid &uuid,
                         const std::filesystem::path &target) {
  if (!machine.guest_data) return {};
  return Seeder(machine, observed, options, uuid, target).decide();
}

DrivePlace place_seed(Hardware &hardware, const std::vector<DrivePlace> &filled) {
  const auto is_filled = [&](std::size_t c, std::size_t d) {
    return std::any_of(filled.begin(), filled.end(),
                       [&](const DrivePlace &one) { return one.controller == c && one.drive == d; });
  };
  for (std::size_t c = 0; c < hardware.controllers.size(); ++c) {
    for (std::size_t d = 0; d < hardware.controllers[c].drives.size(); ++d) {
      Drive &drive = hardware.controllers[c].drives[d];
      if (drive.kind != DriveKind::cdrom || is_filled(c, d)) continue;
      drive.connected_at_start = true;
      return {c, d};
    }
  }
  for (std::size_t c = 0; c < hardware.controllers.size(); ++c) {
    Controller &controller = hardware.controllers[c];
    if (!takes_cds(controller.type)) continue;
    if (auto drive = free_place(controller)) {
      controller.drives.push_back(std::move(*drive));
      return {c, controller.drives.size() - 1};
    }
  }
  Controller controller;
  controller.type = ControllerType::ahci;
  controller.drives.emplace_back().kind = DriveKind::cdrom;
  hardware.controllers.push_back(std::move(controller));
  return {hardware.controllers.size() - 1, 0};
}

}  // namespace ferry::migration
