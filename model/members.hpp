// SPDX-License-Identifier: Apache-2.0
// The one description of the model: the members of each struct, by name (of what a look into the disks found:
// observed_members.hpp). JSON out and in, the fields that the ledger may name, and comparison all follow from it. A
// member that stands here is written, read and compared; a test holds the list to the structs.
#pragma once

#include <tuple>
#include <type_traits>

#include "model/machine.hpp"

namespace ferry {

// Usual: absent optionals, empty texts, empty lists and places that say nothing are left out, other values never.
// when_changed: left out while it is zero or false. always: written even when it is empty. hidden: that there is
// something, not what: it may hold passwords.
enum class Written { usual, when_changed, always, hidden };

template <class Struct, class Value>
struct Member {
  const char *name;
  Value Struct::*at;
  Written written = Written::usual;
};
template <class Struct, class Value>
Member(const char *, Value Struct::*) -> Member<Struct, Value>;
template <class Struct, class Value>
Member(const char *, Value Struct::*, Written) -> Member<Struct, Value>;

// Members<T>::kAll: a tuple of Member, in the order in which they are written.
template <class T>
struct Members;

template <class T>
concept Described = requires {
  std::tuple_size<std::remove_cvref_t<decltype(Members<T>::kAll)>>::value;
};

template <Described T, class Visit>
constexpr void for_each_member(Visit &&visit) {
  std::apply([&visit](const auto &...member) { (visit(member), ...); }, Members<T>::kAll);
}

// ---- places, findings, the ledger ----

template <>
struct Members<Place> {
  static constexpr std::tuple kAll{Member{"file", &Place::file}, Member{"line", &Place::line},
                                   Member{"path", &Place::path}};
};

template <>
struct Members<Finding> {
  static constexpr std::tuple kAll{Member{"id", &Finding::id}, Member{"severity", &Finding::severity},
                                   Member{"where", &Finding::where, Written::always},
                                   Member{"message", &Finding::message, Written::always},
                                   Member{"advice", &Finding::advice, Written::always}};
};

template <>
struct Members<LedgerEntry> {
  static constexpr std::tuple kAll{Member{"where", &LedgerEntry::where, Written::always},
                                   Member{"value", &LedgerEntry::value}, Member{"field", &LedgerEntry::field},
                                   Member{"disposition", &LedgerEntry::disposition},
                                   Member{"note", &LedgerEntry::note}};
};

// ---- media ----

template <>
struct Members<FileRange> {
  static constexpr std::tuple kAll{Member{"file", &FileRange::file},
                                   Member{"offset", &FileRange::offset, Written::when_changed},
                                   Member{"length", &FileRange::length}};
};

template <>
struct Members<ImageFile> {
  static constexpr std::tuple kAll{Member{"declared_location", &ImageFile::declared_location},
                                   Member{"pieces", &ImageFile::pieces},
                                   Member{"gzip", &ImageFile::gzip, Written::when_changed},
                                   Member{"gzip_outer", &ImageFile::gzip_outer, Written::when_changed},
                                   Member{"blank", &ImageFile::blank, Written::when_changed},
                                   Member{"declared_format", &ImageFile::declared_format},
                                   Member{"uuid", &ImageFile::uuid},
                                   Member{"declared_capacity", &ImageFile::declared_capacity},
                                   Member{"encrypted", &ImageFile::encrypted, Written::when_changed},
                                   Member{"origin", &ImageFile::origin}};
};

template <>
struct Members<DiskChange> {
  static constexpr std::tuple kAll{Member{"offset", &DiskChange::offset}, Member{"before", &DiskChange::before},
                                   Member{"after", &DiskChange::after}};
};

template <>
struct Members<Medium> {
  static constexpr std::tuple kAll{
      Member{"type", &Medium::type}, Member{"auto_reset", &Medium::auto_reset, Written::when_changed},
      Member{"chain", &Medium::chain}, Member{"changes", &Medium::changes}, Member{"origin", &Medium::origin}};
};

// ---- hardware ----

template <>
struct Members<PciPlace> {
  static constexpr std::tuple kAll{Member{"bus", &PciPlace::bus}, Member{"slot", &PciPlace::slot},
                                   Member{"function", &PciPlace::function},
                                   Member{"multifunction", &PciPlace::multifunction, Written::when_changed}};
};

template <>
struct Members<UsbPlace> {
  static constexpr std::tuple kAll{Member{"controller", &UsbPlace::controller}, Member{"port", &UsbPlace::port}};
};

template <>
struct Members<PciBridge> {
  static constexpr std::tuple kAll{Member{"device", &PciBridge::device},   Member{"name", &PciBridge::name},
                                   Member{"chassis", &PciBridge::chassis}, Member{"port", &PciBridge::port},
                                   Member{"place", &PciBridge::place},     Member{"origin", &PciBridge::origin}};
};

template <>
struct Members<Device> {
  static constexpr std::tuple kAll{
      Member{"kind", &Device::kind}, Member{"device", &Device::device},         Member{"place", &Device::place},
      Member{"usb", &Device::usb},   Member{"properties", &Device::properties}, Member{"origin", &Device::origin}};
};

template <>
struct Members<KernelBoot> {
  static constexpr std::tuple kAll{Member{"kernel", &KernelBoot::kernel}, Member{"initrd", &KernelBoot::initrd},
                                   Member{"command_line", &KernelBoot::command_line},
                                   Member{"origin", &KernelBoot::origin}};
};

template <>
struct Members<Firmware> {
  static constexpr std::tuple kAll{Member{"type", &Firmware::type},
                                   Member{"secure_boot", &Firmware::secure_boot},
                                   Member{"nvram_file", &Firmware::nvram_file},
                                   Member{"nvram_inside", &Firmware::nvram_inside},
                                   Member{"nvram_gzip", &Firmware::nvram_gzip, Written::when_changed},
                                   Member{"nvram_encrypted", &Firmware::nvram_encrypted, Written::when_changed},
                                   Member{"nvram_qcow2", &Firmware::nvram_qcow2, Written::when_changed},
                                   Member{"nvram_keys", &Firmware::nvram_keys, Written::when_changed},
                                   Member{"loader_file", &Firmware::loader_file},
                                   Member{"boot_menu_timeout_ms", &Firmware::boot_menu_timeout_ms},
                                   Member{"boot_menu", &Firmware::boot_menu},
                                   Member{"acpi", &Firmware::acpi},
                                   Member{"ioapic", &Firmware::ioapic},
                                   Member{"origin", &Firmware::origin}};
};

template <>
struct Members<CpuFeature> {
  static constexpr std::tuple kAll{Member{"name", &CpuFeature::name}, Member{"enabled", &CpuFeature::enabled}};
};

template <>
struct Members<Cpu> {
  static constexpr std::tuple kAll{Member{"architecture", &Cpu::architecture},
                                   Member{"count", &Cpu::count},
                                   Member{"cores_per_socket", &Cpu::cores_per_socket},
                                   Member{"threads_per_core", &Cpu::threads_per_core},
                                   Member{"pae", &Cpu::pae},
                                   Member{"long_mode", &Cpu::long_mode},
                                   Member{"nested_virtualization", &Cpu::nested_virtualization},
                                   Member{"apic", &Cpu::apic},
                                   Member{"x2apic", &Cpu::x2apic},
                                   Member{"hotplug", &Cpu::hotplug},
                                   Member{"execution_cap_percent", &Cpu::execution_cap_percent},
                                   Member{"profile", &Cpu::profile},
                                   Member{"model", &Cpu::model},
                                   Member{"vendor", &Cpu::vendor},
                                   Member{"sockets", &Cpu::sockets},
                                   Member{"dies", &Cpu::dies},
                                   Member{"most", &Cpu::most},
                                   Member{"hypervisor_hidden", &Cpu::hypervisor_hidden},
                                   Member{"enlightenments", &Cpu::enlightenments},

                                   Member{"features", &Cpu::features},
                                   Member{"origin", &Cpu::origin}};
};

template <>
struct Members<Memory> {
  static constexpr std::tuple kAll{Member{"bytes", &Memory::bytes},
                                   Member{"balloon_bytes", &Memory::balloon_bytes},
                                   Member{"page_fusion", &Memory::page_fusion},
                                   Member{"large_pages", &Memory::large_pages},
                                   Member{"hot_add", &Memory::hot_add},
                                   Member{"preallocated", &Memory::preallocated, Written::when_changed},
                                   Member{"origin", &Memory::origin}};
};

template <>
struct Members<Drive> {
  static constexpr std::tuple kAll{Member{"kind", &Drive::kind},
                                   Member{"port", &Drive::port},
                                   Member{"device", &Drive::device},
                                   Member{"medium", &Drive::medium},
                                   Member{"host_device", &Drive::host_device},
                                   Member{"client_device", &Drive::client_device},
                                   Member{"serial", &Drive::serial},
                                   Member{"model", &Drive::model},
                                   Member{"nonrotational", &Drive::nonrotational},
                                   Member{"discard", &Drive::discard},
                                   Member{"hotpluggable", &Drive::hotpluggable},
                                   Member{"passthrough", &Drive::passthrough},
                                   Member{"temporary_eject", &Drive::temporary_eject},
                                   Member{"connected_at_start", &Drive::connected_at_start},
                                   Member{"place", &Drive::place},
                                   Member{"usb", &Drive::usb},
                                   Member{"boot_index", &Drive::boot_index},
                                   Member{"cache", &Drive::cache},
                                   Member{"io", &Drive::io},
                                   Member{"detect_zeroes", &Drive::detect_zeroes},
                                   Member{"error_policy", &Drive::error_policy},
                                   Member{"read_error_policy", &Drive::read_error_policy},
                                   Member{"properties", &Drive::properties},

                                   Member{"origin", &Drive::origin}};
};

template <>
struct Members<Controller> {
  static constexpr std::tuple kAll{
      Member{"type", &Controller::type},         Member{"name", &Controller::name},
      Member{"index", &Controller::index},       Member{"ports", &Controller::ports},
      Member{"pci_slot", &Controller::pci_slot}, Member{"host_io_cache", &Controller::host_io_cache},
      Member{"bootable", &Controller::bootable}, Member{"device", &Controller::device},
      Member{"place", &Controller::place},       Member{"properties", &Controller::properties},
      Member{"drives", &Controller::drives},     Member{"origin", &Controller::origin}};
};

template <>
struct Members<PortForward> {
  static constexpr std::tuple kAll{Member{"name", &PortForward::name},
                                   Member{"protocol", &PortForward::protocol},
                                   Member{"host_address", &PortForward::host_address},
                                   Member{"host_port", &PortForward::host_port},
                                   Member{"guest_address", &PortForward::guest_address},
                                   Member{"guest_port", &PortForward::guest_port},
                                   Member{"origin", &PortForward::origin}};
};

template <>
struct Members<Nic> {
  static constexpr std::tuple kAll{Member{"model", &Nic::model},
                                   Member{"mac", &Nic::mac},
                                   Member{"mac_generated", &Nic::mac_generated},
                                   Member{"slot", &Nic::slot},
                                   Member{"pci_slot", &Nic::pci_slot},
                                   Member{"mode", &Nic::mode},
                                   Member{"network", &Nic::network},
                                   Member{"nat_cidr", &Nic::nat_cidr},
                                   Member{"nat_reaches_loopback", &Nic::nat_reaches_loopback},
                                   Member{"cable_connected", &Nic::cable_connected},
                                   Member{"forwards", &Nic::forwards},
                                   Member{"boot_priority", &Nic::boot_priority},
                                   Member{"boot_index", &Nic::boot_index},
                                   Member{"bandwidth_bytes_per_second", &Nic::bandwidth_bytes_per_second},
                                   Member{"properties", &Nic::properties},
                                   Member{"device", &Nic::device},
                                   Member{"place", &Nic::place},
                                   Member{"usb", &Nic::usb},
                                   Member{"origin", &Nic::origin}};
};

template <>
struct Members<CharPort> {
  static constexpr std::tuple kAll{
      Member{"slot", &CharPort::slot},    Member{"backend", &CharPort::backend},
      Member{"path", &CharPort::path},    Member{"server", &CharPort::server},
      Member{"uart", &CharPort::uart},    Member{"io_base", &CharPort::io_base},
      Member{"irq", &CharPort::irq},      Member{"connected_at_start", &CharPort::connected_at_start},
      Member{"origin", &CharPort::origin}};
};

template <>
struct Members<Sound> {
  static constexpr std::tuple kAll{
      Member{"model", &Sound::model},   Member{"codec", &Sound::codec}, Member{"host_driver", &Sound::host_driver},
      Member{"output", &Sound::output}, Member{"input", &Sound::input}, Member{"pci_slot", &Sound::pci_slot},
      Member{"device", &Sound::device}, Member{"place", &Sound::place}, Member{"origin", &Sound::origin}};
};

template <>
struct Members<UsbController> {
  static constexpr std::tuple kAll{Member{"type", &UsbController::type},
                                   Member{"pci_slot", &UsbController::pci_slot},
                                   Member{"device", &UsbController::device},
                                   Member{"place", &UsbController::place},
                                   Member{"companion_of", &UsbController::companion_of},
                                   Member{"first_port", &UsbController::first_port},
                                   Member{"origin", &UsbController::origin}};
};

template <>
struct Members<UsbFilter> {
  static constexpr std::tuple kAll{
      Member{"name", &UsbFilter::name},           Member{"active", &UsbFilter::active},
      Member{"vendor_id", &UsbFilter::vendor_id}, Member{"product_id", &UsbFilter::product_id},
      Member{"revision", &UsbFilter::revision},   Member{"manufacturer", &UsbFilter::manufacturer},
      Member{"product", &UsbFilter::product},     Member{"serial_number", &UsbFilter::serial_number},
      Member{"port", &UsbFilter::port},           Member{"origin", &UsbFilter::origin}};
};

template <>
struct Members<Input> {
  static constexpr std::tuple kAll{Member{"pointing", &Input::pointing}, Member{"keyboard", &Input::keyboard},
                                   Member{"origin", &Input::origin}};
};

template <>
struct Members<Display::Remote> {
  static constexpr std::tuple kAll{
      Member{"enabled", &Display::Remote::enabled}, Member{"ports", &Display::Remote::ports},
      Member{"address", &Display::Remote::address}, Member{"origin", &Display::Remote::origin}};
};

template <>
struct Members<Display> {
  static constexpr std::tuple kAll{Member{"adapter", &Display::adapter},
                                   Member{"video_memory_bytes", &Display::video_memory_bytes},
                                   Member{"monitors", &Display::monitors},
                                   Member{"accelerate_3d", &Display::accelerate_3d},
                                   Member{"accelerate_2d", &Display::accelerate_2d},
                                   Member{"device", &Display::device},
                                   Member{"place", &Display::place},
                                   Member{"properties", &Display::properties},
                                   Member{"remote", &Display::remote},
                                   Member{"clipboard", &Display::clipboard},
                                   Member{"files", &Display::files},
                                   Member{"origin", &Display::origin}};
};

template <>
struct Members<Clock> {
  static constexpr std::tuple kAll{Member{"base", &Clock::base},
                                   Member{"offset_ms", &Clock::offset_ms},
                                   Member{"hpet", &Clock::hpet},
                                   Member{"rtc_policy", &Clock::rtc_policy},
                                   Member{"pit_policy", &Clock::pit_policy},
                                   Member{"origin", &Clock::origin}};
};

template <>
struct Members<Tpm> {
  static constexpr std::tuple kAll{Member{"version", &Tpm::version},
                                   Member{"device", &Tpm::device},
                                   Member{"state_encrypted", &Tpm::state_encrypted},
                                   Member{"state_file", &Tpm::state_file},
                                   Member{"unused", &Tpm::unused},
                                   Member{"origin", &Tpm::origin}};
};

template <>
struct Members<BootDevice> {
  static constexpr std::tuple kAll{Member{"kind", &BootDevice::kind}, Member{"detail", &BootDevice::detail}};
};

template <>
struct Members<SharedFolder> {
  static constexpr std::tuple kAll{Member{"name", &SharedFolder::name},
                                   Member{"host_path", &SharedFolder::host_path},
                                   Member{"mount_point", &SharedFolder::mount_point},
                                   Member{"writable", &SharedFolder::writable},
                                   Member{"auto_mount", &SharedFolder::auto_mount},
                                   Member{"origin", &SharedFolder::origin}};
};

template <>
struct Members<Smbios> {
  static constexpr std::tuple kAll{Member{"uuid", &Smbios::uuid},
                                   Member{"uuid_little_endian", &Smbios::uuid_little_endian},
                                   Member{"older_than_2_6", &Smbios::older_than_2_6},
                                   Member{"strings", &Smbios::strings}, Member{"origin", &Smbios::origin}};
};

template <>
struct Members<Platform> {
  static constexpr std::tuple kAll{
      Member{"nic_names", &Platform::nic_names}, Member{"drive_models", &Platform::drive_models},
      Member{"smbios_strings", &Platform::smbios_strings}, Member{"smbios_tools", &Platform::smbios_tools}};
};

template <>
struct Members<Hardware> {
  static constexpr std::tuple kAll{Member{"firmware", &Hardware::firmware},
                                   Member{"chipset", &Hardware::chipset},
                                   Member{"machine_type", &Hardware::machine_type},
                                   Member{"machine_properties", &Hardware::machine_properties},
                                   Member{"cpu", &Hardware::cpu},
                                   Member{"memory", &Hardware::memory},
                                   Member{"paravirtualization", &Hardware::paravirtualization},
                                   Member{"bridges", &Hardware::bridges},
                                   Member{"controllers", &Hardware::controllers},
                                   Member{"nics", &Hardware::nics},
                                   Member{"serial_ports", &Hardware::serial_ports},
                                   Member{"parallel_ports", &Hardware::parallel_ports},
                                   Member{"sound", &Hardware::sound},
                                   Member{"usb_controllers", &Hardware::usb_controllers},
                                   Member{"usb_filters", &Hardware::usb_filters},
                                   Member{"input", &Hardware::input},
                                   Member{"display", &Hardware::display},
                                   Member{"clock", &Hardware::clock},
                                   Member{"tpm", &Hardware::tpm},
                                   Member{"boot_order", &Hardware::boot_order},
                                   Member{"shared_folders", &Hardware::shared_folders},
                                   Member{"smbios", &Hardware::smbios},
                                   Member{"platform", &Hardware::platform},
                                   Member{"card_reader", &Hardware::card_reader, Written::when_changed},
                                   Member{"iommu", &Hardware::iommu},
                                   Member{"devices", &Hardware::devices},
                                   Member{"kernel", &Hardware::kernel},
                                   Member{"qemu_arguments", &Hardware::qemu_arguments}};
};

// ---- the machine ----

template <>
struct Members<Source> {
  static constexpr std::tuple kAll{Member{"kind", &Source::kind}, Member{"file", &Source::file},
                                   Member{"format_version", &Source::format_version},
                                   Member{"product", &Source::product}};
};

template <>
struct Members<GuestOs> {
  static constexpr std::tuple kAll{
      Member{"source_id", &GuestOs::source_id}, Member{"label", &GuestOs::label},
      Member{"family", &GuestOs::family},       Member{"is_64bit", &GuestOs::is_64bit},
      Member{"osinfo_id", &GuestOs::osinfo_id}, Member{"osinfo_newer", &GuestOs::osinfo_newer},
      Member{"darwin", &GuestOs::darwin}};
};

template <>
struct Members<SavedState> {
  static constexpr std::tuple kAll{Member{"file", &SavedState::file}, Member{"origin", &SavedState::origin}};
};

template <>
struct Members<Snapshot> {
  static constexpr std::tuple kAll{Member{"id", &Snapshot::id},
                                   Member{"name", &Snapshot::name},
                                   Member{"description", &Snapshot::description},
                                   Member{"created", &Snapshot::created},
                                   Member{"parent", &Snapshot::parent},
                                   Member{"saved_state", &Snapshot::saved_state},
                                   Member{"hardware", &Snapshot::hardware},
                                   Member{"origin", &Snapshot::origin}};
};

template <>
struct Members<DeploymentProperty> {
  static constexpr std::tuple kAll{Member{"key", &DeploymentProperty::key},
                                   Member{"value", &DeploymentProperty::value, Written::hidden},
                                   Member{"type", &DeploymentProperty::type},
                                   Member{"label", &DeploymentProperty::label},
                                   Member{"required", &DeploymentProperty::required, Written::when_changed},
                                   Member{"origin", &DeploymentProperty::origin}};
};

template <>
struct Members<GuestData> {
  static constexpr std::tuple kAll{Member{"user_data", &GuestData::user_data, Written::hidden},
                                   Member{"vendor_data", &GuestData::vendor_data, Written::hidden},
                                   Member{"meta_data", &GuestData::meta_data, Written::hidden},
                                   Member{"instance_id", &GuestData::instance_id},
                                   Member{"network_config", &GuestData::network_config, Written::hidden},
                                   Member{"properties", &GuestData::properties},
                                   Member{"on_cd", &GuestData::on_cd, Written::when_changed},
                                   Member{"origin", &GuestData::origin}};
};

template <>
struct Members<Machine> {
  static constexpr std::tuple kAll{Member{"source", &Machine::source},
                                   Member{"name", &Machine::name},
                                   Member{"uuid", &Machine::uuid},
                                   Member{"description", &Machine::description},
                                   Member{"groups", &Machine::groups},
                                   Member{"guest_os", &Machine::guest_os},
                                   Member{"encrypted", &Machine::encrypted, Written::when_changed},
                                   Member{"saved_state", &Machine::saved_state},
                                   Member{"guest_data", &Machine::guest_data},
                                   Member{"extra", &Machine::extra},
                                   Member{"hardware", &Machine::hardware},
                                   Member{"snapshots", &Machine::snapshots},
                                   Member{"current_snapshot", &Machine::current_snapshot},
                                   Member{"current_state_modified", &Machine::current_state_modified},
                                   Member{"origin", &Machine::origin}};
};

}  // namespace ferry
