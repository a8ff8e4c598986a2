// SPDX-License-Identifier: Apache-2.0
// Display, sound, USB, input, serial and parallel ports.
#include <gtest/gtest.h>

#include "tests/export/builders.hpp"

namespace ferry::test {
namespace {

using Backend = CharPort::Backend;

std::string video_of(const target::Result &result) {
  return attribute(element(domain(result), "devices/video/model"), "type");
}

TEST(Display, SpiceWithoutAPortAndItsChannel) {
  Fixture fixture(virtualbox_machine());
  const xml::Element root = domain(fixture.run());
  EXPECT_EQ(attribute(element(root, "devices/graphics"), "type"), "spice");
  EXPECT_EQ(attribute(element(root, "devices/graphics/listen"), "type"), "none");
  EXPECT_EQ(attribute(element(root, "devices/channel"), "type"), "spicevmc");
  EXPECT_EQ(attribute(element(root, "devices/channel", 1), "type"), "spiceport");
  EXPECT_EQ(attribute(element(root, "devices/channel", 2), "type"), "unix");
  EXPECT_EQ(attribute(element(element(root, "devices/channel", 2), "target"), "name"), "org.qemu.guest_agent.0");
  EXPECT_EQ(count(root, "devices/redirdev"), 2U);
}

TEST(Display, VncWhereTheHostHasNoSpice) {
  Fixture fixture(virtualbox_machine());
  fixture.host = without_spice();
  const auto result = fixture.run();
  const xml::Element root = domain(result);
  EXPECT_EQ(attribute(element(root, "devices/graphics"), "type"), "vnc");
  EXPECT_EQ(count(root, "devices/channel"), 1U) << "the guest agent's, which needs no display";
  EXPECT_EQ(count(root, "devices/redirdev"), 0U);
  EXPECT_TRUE(found(result, "display.no-spice"));
  EXPECT_TRUE(found(result, "sound.silent"));
}

TEST(Display, NothingCrossesThatDidNotBefore) {
  using Exchange = Display::Exchange;
  const auto crosses = [](std::optional<Exchange> clipboard, std::optional<Exchange> files) {
    Fixture fixture(virtualbox_machine());
    fixture.machine.hardware.display.clipboard = clipboard;
    fixture.machine.hardware.display.files = files;
    const xml::Element root = domain(fixture.run());
    return attribute(element(root, "devices/graphics/clipboard"), "copypaste") + "," +
           attribute(element(root, "devices/graphics/filetransfer"), "enable");
  };
  const auto forbids = [](std::optional<Exchange> clipboard, std::optional<Exchange> files) {
    Fixture fixture(virtualbox_machine());
    fixture.machine.hardware.display.clipboard = clipboard;
    fixture.machine.hardware.display.files = files;
    const xml::Element root = domain(fixture.run());
    return std::pair{count(root, "devices/graphics/clipboard"), count(root, "devices/graphics/filetransfer")};
  };
  using Counts = std::pair<std::size_t, std::size_t>;
  EXPECT_EQ(crosses(Exchange::off, Exchange::off), "no,no");
  EXPECT_EQ(crosses(Exchange::to_host, Exchange::to_host), "no,no");
  EXPECT_EQ(forbids(Exchange::both, Exchange::to_guest), (Counts{0, 0}));
  EXPECT_EQ(forbids(std::nullopt, std::nullopt), (Counts{0, 0}));
}

TEST(Board, IommuOnTheNewerBoard) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.iommu = true;
  EXPECT_EQ(count(domain(fixture.run()), "devices/iommu"), 0U);
  fixture.machine.hardware.chipset = Chipset::ich9;
  EXPECT_EQ(attribute(element(domain(fixture.run()), "devices/iommu"), "model"), "intel");
}

TEST(Identity, GenerationIdStaysUnlessTheMachineIsACopy) {
  Fixture fixture(vmware_machine());
  const std::string id = "04030201-0605-0807-ffff-ffffffffffff";
  fixture.machine.extra["generation.id"] = id;
  fixture.machine.hardware.smbios.uuid = fixture.input.identity.uuid;
  EXPECT_EQ(element(domain(fixture.run()), "genid").text, id);
  fixture.machine.hardware.smbios.uuid = Uuid::parse("12345678-1234-1234-1234-123456789abc");
  const xml::Element root = domain(fixture.run());
  EXPECT_EQ(element(root, "genid").text, "");
}

TEST(Display, AHostWithoutAnyDisplayIsReported) {
  Fixture fixture(virtualbox_machine());
  fixture.host.graphics = {"sdl"};
  const auto result = fixture.run();
  EXPECT_EQ(count(domain(result), "devices/graphics"), 0U);
  EXPECT_TRUE(found(result, "display.none"));
}

TEST(Display, TheCardFollowsAdapterAndGuest) {
  Fixture fixture(virtualbox_machine());
  EXPECT_EQ(video_of(fixture.run()), "vga");
  fixture.machine.hardware.display.adapter = Display::Adapter::vmsvga;
  EXPECT_EQ(video_of(fixture.run()), "virtio");
  fixture.machine.guest_os.family = OsFamily::windows;
  EXPECT_EQ(video_of(fixture.run()), "vga");
  fixture.input.options.video_model = target::VideoModel::qxl;
  EXPECT_EQ(video_of(fixture.run()), "qxl");
  fixture.host.video_models.erase("qxl");
  EXPECT_THROW((void)fixture.map(), Error);
}

TEST(Display, NoneStaysNone) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.display.adapter = Display::Adapter::none;
  const auto result = fixture.run();
  EXPECT_EQ(video_of(result), "none");
  EXPECT_EQ(count(domain(result), "devices/graphics"), 0U);
}

TEST(Display, VideoMemoryIsAPowerOfTwo) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.display.video_memory_bytes = std::uint64_t{33} << 20U;
  EXPECT_EQ(attribute(element(domain(fixture.run()), "devices/video/model"), "vram"), "65536");
}

TEST(Display, VirglIsOnRequestForLinux) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.guest_os.family = OsFamily::linux;
  fixture.machine.hardware.display.accelerate_3d = true;
  fixture.input.options.video_model = target::VideoModel::virtio_3d;
  fixture.host.virgl = false;
  EXPECT_THROW((void)fixture.map(), Error);
  fixture.host.virgl = true;
  const auto result = fixture.run();
  const xml::Element root = domain(result);
  EXPECT_EQ(attribute(element(root, "devices/video/model"), "type"), "virtio");
  EXPECT_EQ(attribute(element(root, "devices/video/model/acceleration"), "accel3d"), "yes");
  EXPECT_EQ(attribute(element(root, "devices/graphics/gl"), "enable"), "yes");
  EXPECT_FALSE(found(result, "display.3d-dropped"));
  fixture.machine.guest_os.family = OsFamily::windows;
  EXPECT_THROW((void)fixture.map(), Error);
}

TEST(Usb, ACardReaderTakesTheViewersCards) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.card_reader = true;
  EXPECT_EQ(attribute(element(domain(fixture.run()), "devices/smartcard"), "type"), "spicevmc");
  fixture.host.smartcard = false;
  EXPECT_TRUE(found(fixture.run(), "usb.card-reader-dropped"));
}

TEST(Display, WhatIsLostIsSaid) {
  Fixture fixture(virtualbox_machine());
  Display &display = fixture.machine.hardware.display;
  display.monitors = 2;
  display.accelerate_3d = true;
  display.remote = Display::Remote{.enabled = true, .ports = "3389"};
  const auto result = fixture.run();
  EXPECT_TRUE(found(result, "display.monitors"));
  EXPECT_TRUE(found(result, "display.3d-dropped"));
  EXPECT_TRUE(found(result, "display.remote-dropped"));
  fixture.input.options.video_model = target::VideoModel::qxl;
  const auto heads = fixture.run();
  EXPECT_EQ(attribute(element(domain(heads), "devices/video/model"), "heads"), "2");
  EXPECT_FALSE(found(heads, "display.monitors"));
}

TEST(Sound, ModelsAndTheirSlot) {
  Fixture fixture(virtualbox_machine());
  const xml::Element root = domain(fixture.run());
  EXPECT_EQ(attribute(element(root, "devices/sound"), "model"), "ac97");
  EXPECT_EQ(slot_of(element(root, "devices/sound")), 5);
  fixture.machine.hardware.sound->model = Sound::Model::hda;
  fixture.machine.hardware.sound->input = false;
  const xml::Element hda = domain(fixture.run());
  EXPECT_EQ(attribute(element(hda, "devices/sound"), "model"), "ich6");
  EXPECT_EQ(attribute(element(hda, "devices/sound/codec"), "type"), "output");
}

TEST(Sound, NearestOrNone) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.sound->model = Sound::Model::es1371;
  EXPECT_TRUE(found(fixture.run(), "sound.changed"));
  fixture.host.sound_models = {"usb"};
  const auto result = fixture.run();
  EXPECT_TRUE(found(result, "sound.dropped"));
  EXPECT_EQ(count(domain(result), "devices/sound"), 0U);
}

// The models and slots of all USB controllers, in order.
std::vector<std::string> usb_controllers(const target::Result &result) {
  std::vector<std::string> out;
  const xml::Element root = domain(result);
  for (const xml::Element &child : element(root, "devices").children) {
    if (child.name != "controller" || attribute(child, "type") != "usb") continue;
    out.push_back(attribute(child, "model") + "@" + std::to_string(slot_of(child)));
  }
  return out;
}

TEST(Usb, ControllersKeepVirtualBoxsSlots) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.usb_controllers = {
      {.type = UsbController::Type::ohci}, {.type = UsbController::Type::ehci}, {.type = UsbController::Type::xhci}};
  const std::vector<std::string> expected = {"pci-ohci@6",    "ich9-ehci1@11", "ich9-uhci1@11",
                                             "ich9-uhci2@11", "ich9-uhci3@11", "qemu-xhci@12"};
  EXPECT_EQ(usb_controllers(fixture.run()), expected);
}

// VirtualBox has them in the chipset's own slot there, which QEMU's board keeps to itself.
TEST(Usb, ThoseOfIch9GoWhereTheBoardHasRoom) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.chipset = Chipset::ich9;
  fixture.machine.hardware.usb_controllers = {{.type = UsbController::Type::ohci}, {.type = UsbController::Type::ehci}};
  const auto result = fixture.run();
  EXPECT_EQ(usb_controllers(result).front(), "pci-ohci@6");
  EXPECT_EQ(usb_controllers(result).at(1), "ich9-ehci1@11");
  EXPECT_EQ(settlement(result, "hardware.usb_controllers.0.pci_slot")->disposition, Disposition::translated);
}

TEST(Usb, Windows7GetsAControllerWithADriver) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.guest_os = {"Windows7_64", "Windows 7", OsFamily::windows, true, "http://microsoft.com/win/7"};
  fixture.machine.hardware.usb_controllers = {{.type = UsbController::Type::xhci}};
  EXPECT_EQ(usb_controllers(fixture.run()).front(), "nec-xhci@12");
}

TEST(Usb, WithoutControllersThereIsNoneUnlessTheInputNeedsOne) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.usb_controllers.clear();
  EXPECT_EQ(usb_controllers(fixture.run()).front(), "piix3-uhci@1");  // for the tablet
  fixture.machine.hardware.input.pointing = Input::Pointing::ps2_mouse;
  EXPECT_EQ(usb_controllers(fixture.run()).front(), "none@-1");
}

TEST(Usb, AControllerThatTheHostLacksIsReported) {
  Fixture fixture(virtualbox_machine());
  fixture.host.usb_models = {"qemu-xhci"};
  EXPECT_TRUE(found(fixture.run(), "usb.controller-dropped"));
}

TEST(Usb, FiltersTakeNoDeviceUnasked) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.usb_filters = {{.name = "stick", .vendor_id = "0951", .product_id = "1666"}};
  const auto result = fixture.run();
  EXPECT_TRUE(found(result, "usb.filters-dropped"));
  EXPECT_EQ(count(domain(result), "devices/hostdev"), 0U);
}

TEST(Input, ATabletReplacesTheToolsPointer) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.input.pointing = Input::Pointing::ps2_mouse;
  const auto result = fixture.run();
  EXPECT_EQ(attribute(element(domain(result), "devices/input"), "type"), "tablet");
  EXPECT_TRUE(found(result, "input.tablet-added"));
  fixture.machine.hardware.input.pointing = Input::Pointing::usb_multi_touch;
  EXPECT_TRUE(found(fixture.run(), "input.changed"));
}

// ---- ports ----

target::Result with_port(CharPort port, bool devices = false) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.serial_ports = {std::move(port)};
  fixture.input.options.map_host_devices = devices;
  return fixture.run();
}

const std::string *source(const xml::Element &root, std::string_view name) {
  const xml::Element *node = element(root, "devices/serial").child("source");
  return node == nullptr ? nullptr : node->attribute(name);
}

TEST(Port, HostDevicesOnlyWhenAsked) {
  const CharPort port{.backend = Backend::host_device, .path = "/dev/ttyS0"};
  const auto refused = with_port(port);
  EXPECT_EQ(attribute(element(domain(refused), "devices/serial"), "type"), "pty");
  EXPECT_TRUE(found(refused, "port.not-connected"));
  const auto mapped = with_port(port, true);
  EXPECT_EQ(attribute(element(domain(mapped), "devices/serial"), "type"), "dev");
}

TEST(Port, FilesAreMadeInTheMachinesFolder) {
  const auto result = with_port({.backend = Backend::file, .path = "/home/user/.bashrc"});
  const xml::Element root = domain(result);
  EXPECT_EQ(*source(root, "path"), "/var/tmp/images/box-serial1.log");
  EXPECT_TRUE(found(result, "port.path-changed"));
}

TEST(Port, SocketsAreMadeAnewAndNeverJoined) {
  const auto server = with_port({.backend = Backend::pipe, .path = "/run/user/1000/bus", .server = true});
  EXPECT_EQ(*source(domain(server), "path"), "/var/tmp/images/box-serial1.sock");
  const auto client = with_port({.backend = Backend::pipe, .path = "/run/user/1000/bus"});
  EXPECT_EQ(attribute(element(domain(client), "devices/serial"), "type"), "pty");
}

TEST(Port, TcpListensOnThisHostOnly) {
  const auto server = with_port({.backend = Backend::tcp, .path = "2023", .server = true});
  EXPECT_EQ(*source(domain(server), "host"), "127.0.0.1");
  EXPECT_TRUE(found(server, "port.listens-locally"));
  const auto client = with_port({.backend = Backend::tcp, .path = "example.org:2023"});
  EXPECT_EQ(*source(domain(client), "host"), "example.org");
  EXPECT_TRUE(found(with_port({.backend = Backend::tcp, .path = "a,b:1"}), "port.not-connected"));
}

TEST(Port, UnusualAddressesAndTooManyPorts) {
  EXPECT_TRUE(found(with_port({.backend = Backend::disconnected, .io_base = 0x1234}), "port.moved"));
  const auto second = with_port({.slot = 0, .backend = Backend::disconnected, .io_base = 0x2F8});
  EXPECT_EQ(attribute(element(domain(second), "devices/serial/target"), "port"), "1");
  EXPECT_TRUE(found(with_port({.slot = 9, .backend = Backend::disconnected}), "port.dropped"));
}

}  // namespace
}  // namespace ferry::test
