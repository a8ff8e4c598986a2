// SPDX-License-Identifier: Apache-2.0
// Items: the properties of CIM_ResourceAllocationSettingData (rasd), CIM_StorageAllocationSettingData (sasd),
// CIM_EthernetPortAllocationSettingData (epasd) and CIM_ProcessorAllocationSettingData (pasd), as elements.
// Known deviants: InstanceId for InstanceID (0.9), lists in ResourceSubType with blanks or commas, VMware's
// CoresPerSocket and Config, VMware vCloud's attributes on HostResource and Connection.
#include "importers/ovf/item.hpp"

#include <algorithm>
#include <array>

#include "support/text.hpp"

namespace ferry::ovf {
namespace {

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : text) {
    if (c == ' ' || c == ',' || c == ';' || c == '\t' || c == '\n' || c == '\r') {
      if (!word.empty()) out.push_back(std::move(word));
      word.clear();
    } else {
      word += c;
    }
  }
  if (!word.empty()) out.push_back(std::move(word));
  return out;
}

struct Rule {
  std::string_view name;
  Disposition disposition;
  std::string_view note;
};

constexpr std::string_view kLabel = "a label of the device";
constexpr std::string_view kShares =
    "a share of the source host's resources, not a property of the machine; set it "
    "again with 'virsh schedinfo' or 'virsh memtune' if it is wanted";
constexpr std::string_view kPool = "manages the source host's resource pools";
constexpr std::string_view kSwitch = "a setting of the source host's switch port; set it on the new network";
constexpr std::string_view kExtent = "says how the source host stores the disk; the guest does not see it";

constexpr auto kIrrelevant = Disposition::irrelevant;
constexpr auto kDropped = Disposition::dropped;

constexpr std::array<Rule, 61> kRules{{
    {"Caption", kIrrelevant, kLabel},
    {"Description", kIrrelevant, kLabel},
    {"ElementName", kIrrelevant, kLabel},
    {"InstanceID", kIrrelevant, "the device's identity inside the descriptor"},
    {"InstanceId", kIrrelevant, "the device's identity inside the descriptor"},
    {"Generation", kIrrelevant, "housekeeping of the source platform"},
    {"ChangeableType", kIrrelevant, "housekeeping of the source platform"},
    {"ConfigurationName", kIrrelevant, "housekeeping of the source platform"},
    {"SoID", kIrrelevant, "housekeeping of the source platform"},
    {"SoOrgID", kIrrelevant, "housekeeping of the source platform"},
    {"ComponentSetting", kIrrelevant, "housekeeping of the source platform"},
    {"OtherResourceType", kIrrelevant, "names a ResourceType that the standard has no number for"},
    {"Address", kIrrelevant, "the device's number among its kind; the new machine has its own"},
    {"AddressOnParent", kIrrelevant, "the device's order; the new machine has its own"},
    {"Parent", kIrrelevant, "the device that this one is attached to; the new machine has its own layout"},
    {"BusNumber", kIrrelevant, "the device's number among its kind, a second time"},
    {"AllocationUnits", kIrrelevant, "the unit of reservation and limit"},
    {"AutomaticAllocation", kIrrelevant, "the device is there at power on; so it is in the new machine"},
    {"AutomaticDeallocation", kIrrelevant, "the device goes when the machine goes"},
    {"VirtualQuantity", kIrrelevant, "one device"},
    {"VirtualQuantityUnits", kIrrelevant, "the unit of the quantity"},
    {"Reservation", kDropped, kShares},
    {"Limit", kDropped, kShares},
    {"Weight", kDropped, kShares},
    {"max_num_of_vcpus", kIrrelevant, "a limit for adding processors while the machine runs"},
    {"ConsumerVisibility", kIrrelevant, kPool},
    {"MappingBehavior", kIrrelevant, kPool},
    {"PoolID", kIrrelevant, kPool},
    {"HostResource", kDropped, "a resource of the source host"},
    {"Connection", kDropped, "a further network of the device; a device has one in the new machine"},
    {"ResourceSubType", kIrrelevant, "the device's model; the new machine has its own"},
    // Storage (sasd)
    {"Access", kDropped, "a disk of the package is given to the machine as its own, writable"},
    {"HostExtentName", kIrrelevant, kExtent},
    {"HostExtentNameFormat", kIrrelevant, kExtent},
    {"HostExtentNameNamespace", kIrrelevant, kExtent},
    {"HostExtentStartingAddress", kIrrelevant, kExtent},
    {"HostResourceBlockSize", kIrrelevant, kExtent},
    {"OtherHostExtentNameFormat", kIrrelevant, kExtent},
    {"OtherHostExtentNameNamespace", kIrrelevant, kExtent},
    {"VirtualResourceBlockSize", kDropped, "the block size that the disk shows; the new disk shows 512 bytes"},
    {"StorageGroup", kIrrelevant, kExtent},
    // Ethernet ports (epasd)
    {"DefaultPortVID", kDropped, kSwitch},
    {"DefaultPriority", kDropped, kSwitch},
    {"DesiredVLANEndpointMode", kDropped, kSwitch},
    {"OtherEndpointMode", kDropped, kSwitch},
    {"GroupAddresses", kDropped, kSwitch},
    {"ManagerID", kDropped, kSwitch},
    {"NetworkPortProfileID", kDropped, kSwitch},
    {"NetworkPortProfileIDType", kDropped, kSwitch},
    {"OtherNetworkPortProfileIDTypeInfo", kDropped, kSwitch},
    {"PortCriticality", kDropped, kSwitch},
    {"PortVID", kDropped, kSwitch},
    {"Promiscuous", kDropped, kSwitch},
    {"ReceiveBandwidthLimit", kDropped, kSwitch},
    {"ReceiveBandwidthReservation", kDropped, kSwitch},
    {"SourceMACFilteringEnabled", kDropped, kSwitch},
    {"VSITypeIDVersion", kDropped, kSwitch},
    {"AllowedPriorities", kDropped, kSwitch},
    {"AllowedToReceiveMACAddresses", kDropped, kSwitch},
    {"AllowedToReceiveVLANs", kDropped, kSwitch},
    {"AllowedToTransmitMACAddresses", kDropped, kSwitch},
}};
// The rest of epasd and pasd.
constexpr std::string_view kEngine = "how oVirt's engine manages the device";
constexpr std::array<Rule, 31> kMoreRules{{
    {"AllowedToTransmitVLANs", kDropped, kSwitch},
    {"InstructionSet", kIrrelevant, "the kind of processor, on a device that is not one"},
    {"InstructionSetExtensionName", kDropped,
     "processor features that the guest needs; the new machine has the host's processor"},
    {"ProcessorType", kIrrelevant, "a label of the device"},
    {"CoresPerSocket", kIrrelevant, "the processor's layout, on a device that is not one"},
    {"ResourceType", kIrrelevant, "the kind of the device"},
    // oVirt's own
    {"Type", kIrrelevant, "the kind of the device, a second time"},
    {"Device", kIrrelevant, "the kind of the device, a second time"},
    {"Alias", kIrrelevant, kEngine},
    {"ApplicationList", kIrrelevant, kEngine},
    {"BootOrder", kIrrelevant, "the guest does not boot from the device"},
    {"CreationDate", kIrrelevant, kEngine},
    {"CustomProperties", kDropped, "settings of oVirt's hooks; do what the hook did by hand"},
    {"IsPlugged", kIrrelevant, "the device is plugged in, as in the new machine"},
    {"IsReadOnly", kIrrelevant, kEngine},
    {"LastModified", kIrrelevant, kEngine},
    {"last_modified_date", kIrrelevant, kEngine},
    {"Linked", kIrrelevant, "the card is connected, as in the new machine"},
    {"Name", kIrrelevant, kLabel},
    {"SinglePciQxl", kIrrelevant, "how oVirt shows several monitors"},
    {"SnapshotId", kIrrelevant, kEngine},
    {"SpecParams", kIrrelevant, "details of oVirt's device; the new one has its own"},
    {"StorageId", kIrrelevant, kEngine},
    {"StoragePoolId", kIrrelevant, kEngine},
    {"Template", kIrrelevant, kEngine},
    {"MACAddress", kDropped, "not a MAC address"},
    {"cpu_per_socket", kIrrelevant, "the processor's layout, on a device that is not one"},
    {"num_of_sockets", kIrrelevant, "the processor's layout, on a device that is not one"},
    {"threads_per_cpu", kIrrelevant, "the processor's layout, on a device that is not one"},
    {"UsbPolicy", kIrrelevant, "whether there is a USB controller"},
    {"speed", kIrrelevant, "the speed that oVirt shows for the card"},
}};

// More than any platform gives a machine; bounds the work that pairs of devices make.
constexpr std::size_t kMaxItems = 4096;

const Rule *rule(std::string_view name) {
  for (const Rule &candidate : kRules) {
    if (candidate.name == name) return &candidate;
  }
  for (const Rule &candidate : kMoreRules) {
    if (candidate.name == name) return &candidate;
  }
  return nullptr;
}

bool selected(const Context &in, const SettingsReader &item) {
  const auto configurations = peek_attribute(item, "configuration");
  if (!configurations) return true;
  const auto ids = words(*configurations);
  return std::find(ids.begin(), ids.end(), in.configuration) != ids.end();
}

}  // namespace

std::optional<bool> parse_boolean(std::string_view text) {
  const std::string lower = text::lower_ascii(text::trim(text));
  if (lower == "true" || lower == "1" || lower == "yes" || lower == "on") return true;
  if (lower == "false" || lower == "0" || lower == "no" || lower == "off") return false;
  return std::nullopt;
}

Item::Item(SettingsReader reader) : reader_(std::move(reader)) {
  if (const auto type = number("ResourceType")) type_ = static_cast<int>(*type);
  instance_ = text("InstanceID").value_or(text("InstanceId").value_or(""));
  if (const auto subtype = text("ResourceSubType")) subtypes_ = words(text::lower_ascii(*subtype));
  // oVirt tells its devices apart by elements of its own, and gives its displays the number of "other storage".
  const std::string own = text::lower_ascii(text("Type").value_or(""));
  if (own == "video") type_ = static_cast<int>(Resource::graphics);
  if (own == "sound") type_ = static_cast<int>(Resource::sound);
  if (const auto device = text("Device"); own == "sound" && device) subtypes_ = words(text::lower_ascii(*device));
}

bool Item::has_subtype(std::string_view name) const {
  return std::find(subtypes_.begin(), subtypes_.end(), name) != subtypes_.end();
}

std::optional<unsigned> Item::number(std::string_view child) const {
  const auto value = text(child);
  if (!value) return std::nullopt;
  const auto parsed = text::parse_u64(text::trim(*value));
  if (!parsed || *parsed > 1000000) return std::nullopt;
  return static_cast<unsigned>(*parsed);
}

std::optional<bool> Item::boolean(std::string_view child) const {
  const auto value = text(child);
  return value ? parse_boolean(*value) : std::nullopt;
}

void Item::take(std::string_view child, std::string_view field) const {
  for (const SettingsReader &below : reader_.children(child)) below.touch(field);
}

void Item::take_identity(std::string_view field) const {
  take("ResourceType", field);
  take("InstanceID", field);
  take("InstanceId", field);
}

std::string Item::label() const {
  for (const std::string_view name : {"ElementName", "Caption", "Description"}) {
    if (const auto value = text(name)) return in_quotes(*value);
  }
  return "the device " + in_quotes(instance_);
}

void check_count(const std::vector<Item> &items, const SettingsReader &last) {
  if (items.size() <= kMaxItems) return;
  throw Error(ErrorKind::unsupported, {.where = last.place(),
                                       .message = "the machine has too many devices",
                                       .found = "more than " + std::to_string(kMaxItems),
                                       .expected = "at most " + std::to_string(kMaxItems)});
}

std::vector<Item> select_items(Context &in, const SettingsReader &hardware_section) {
  std::vector<Item> out;
  for (const SettingsReader &element : hardware_section.children()) {
    const std::string &name = element.element().name;
    if (name != "Item" && name != "StorageItem" && name != "EthernetPortItem") continue;
    const auto bound = peek_attribute(element, "bound");
    if (bound && *bound != "normal") {
      element.settle_all(Disposition::irrelevant, "a limit for changing the machine, not a device");
      continue;
    }
    if (!selected(in, element)) {
      element.settle_all(Disposition::irrelevant, "belongs to a deployment configuration that was not chosen");
      continue;
    }
    if (parse_boolean(peek(element, "IsPlugged").value_or("")) == std::optional(false)) {  // oVirt
      in.raise(finding::kDeviceDropped, element.place(), Item(element).label() + " was not plugged in");
      element.settle_all(Disposition::dropped, "the device was not plugged in; the guest did not see it");
      continue;
    }
    element.settle("configuration", Disposition::irrelevant, "names the chosen deployment configuration");
    element.settle("bound", Disposition::irrelevant, "the normal value, not a limit");
    Item item(element);
    const auto same = std::find_if(out.begin(), out.end(), [&](const Item &other) {
      return !item.instance().empty() && other.instance() == item.instance() && other.type() == item.type();
    });
    if (same == out.end()) {
      out.push_back(std::move(item));
      check_count(out, element);
    } else if (peek_attribute(element, "configuration") || bound) {
      same->reader().settle_all(Disposition::irrelevant, "replaced by the Item of the chosen deployment configuration");
      *same = std::move(item);
    } else if (peek_attribute(same->reader(), "configuration")) {
      element.settle_all(Disposition::irrelevant, "replaced by the Item of the chosen deployment configuration");
    } else {
      out.push_back(std::move(item));  // a faulty exporter gave an InstanceID twice: two devices
      check_count(out, element);
    }
  }
  return out;
}

void settle_item(Context &in, const Item &item) {
  for (const SettingsReader &child : item.reader().children()) {
    const std::string &name = child.element().name;
    if (name == "Config" || name == "ExtraConfig") continue;
    if (const Rule *known = rule(name)) {
      child.settle_all(known->disposition, known->note);
      continue;
    }
    const bool optional = peek_attribute(child, "required") == "false";
    child.settle_all(Disposition::dropped, "an element that virt-ferry does not know");
    in.raise(optional ? finding::kSectionOptional : finding::kElementUnknown, child.place(),
             "the element " + in_quotes(name) + " of " + item.label() + " is not known");
  }
}

}  // namespace ferry::ovf
