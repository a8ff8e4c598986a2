// SPDX-License-Identifier: Apache-2.0
// Display, sound, USB, ports and folders.
#include "tests/vbox/support.hpp"

namespace ferry::vbox::test {
namespace {

TEST(Display, AdapterMemoryAndMonitors) {
  const Display plain = hardware_of("").display;
  EXPECT_EQ(plain.adapter, Display::Adapter::vboxvga);
  EXPECT_EQ(plain.video_memory_bytes, std::uint64_t{8} << 20U);
  const Display set = hardware_of(
                          "<Display controller='VMSVGA' VRAMSize='128' monitorCount='3' accelerate3D='true' "
                          "accelerate2DVideo='true'/>")
                          .display;
  EXPECT_EQ(set.adapter, Display::Adapter::vmsvga);
  EXPECT_EQ(set.video_memory_bytes, std::uint64_t{128} << 20U);
  EXPECT_EQ(set.monitors, 3U);
  EXPECT_TRUE(set.accelerate_3d);
  EXPECT_TRUE(set.accelerate_2d);
  EXPECT_EQ(hardware_of("<Display MonitorCount='2' Accelerate3D='true'/>", "1.4-linux").display.monitors, 2U);
}

TEST(Display, RemoteDisplayWithoutItsPassword) {
  Text text;
  text.hardware =
      "<RemoteDisplay enabled='true'><VRDEProperties><Property name='TCP/Ports' value='5000'/>"
      "<Property name='TCP/Address' value='::1'/><Property name='VNCPassword' value='topsecret'/>"
      "</VRDEProperties></RemoteDisplay>";
  const ImportedMachine got = import_text(text);
  const auto &remote = got.machine.hardware.display.remote;
  ASSERT_TRUE(remote);
  EXPECT_TRUE(remote->enabled);
  EXPECT_EQ(remote->ports, "5000");
  EXPECT_EQ(remote->address, "::1");
  EXPECT_EQ(entry_of(got, "/Property[3]/@value")->value, "(secret)");
}

TEST(Display, RemoteDisplayWasOnByDefaultBefore116) {
  EXPECT_TRUE(hardware_of("<RemoteDisplay port='3390'/>", "1.15-linux").display.remote->enabled);
  EXPECT_FALSE(hardware_of("<RemoteDisplay port='3390'/>", "1.16-linux").display.remote->enabled);
  EXPECT_EQ(hardware_of("<RemoteDisplay port='3390' netAddress='127.0.0.1'/>", "1.3-linux").display.remote->address,
            "127.0.0.1");
}

TEST(Display, WhatCrossesBetweenGuestAndHostIsOffUnlessTheFileSaysSo) {
  using Exchange = Display::Exchange;
  for (const char *silent : {"", "<Clipboard/><DragAndDrop/>", "<Clipboard mode='Disabled'/>"}) {
    EXPECT_EQ(hardware_of(silent).display.clipboard, Exchange::off) << silent;
    EXPECT_EQ(hardware_of(silent).display.files, Exchange::off) << silent;
  }
  const Display both =
      hardware_of(
          "<Clipboard mode='Bidirectional' fileTransfersEnabled='true'/><DragAndDrop mode='HostToGuest'/>"
          "<Display controller='VMSVGA'/>")
          .display;
  EXPECT_EQ(both.clipboard, Exchange::both);
  EXPECT_EQ(both.files, Exchange::to_guest);
  EXPECT_EQ(hardware_of("<Clipboard mode='GuestToHost'/>").display.clipboard, Exchange::to_host);
  Text text;
  text.hardware = "<Clipboard mode='Bidirectional' fileTransfersEnabled='true'/><DragAndDrop mode='Bidirectional'/>";
  EXPECT_EQ(unknown_settings(import_text(text)), std::vector<std::string>{});
}

TEST(Board, IommuOfIntelOrTheHostsOwn) {
  EXPECT_FALSE(hardware_of("").iommu);
  EXPECT_FALSE(hardware_of("<Iommu type='None'/>").iommu);
  for (const char *type : {"Automatic", "AMD", "Intel"})
    EXPECT_EQ(hardware_of("<Chipset type='ICH9'/><Iommu type='" + std::string(type) + "'/>").iommu, true) << type;
}

TEST(Sound, DefaultsTurnedRoundIn116And117) {
  EXPECT_TRUE(hardware_of("<AudioAdapter driver='Pulse'/>", "1.15-linux").sound);
  EXPECT_FALSE(hardware_of("<AudioAdapter driver='Pulse'/>", "1.16-linux").sound);
  const Sound old = *hardware_of("<AudioAdapter enabled='true'/>", "1.16-linux").sound;
  EXPECT_TRUE(old.input);
  EXPECT_TRUE(old.output);
  const Sound modern = *hardware_of("<AudioAdapter enabled='true' enabledOut='true'/>", "1.17-linux").sound;
  EXPECT_FALSE(modern.input);
  EXPECT_TRUE(modern.output);
}

TEST(Sound, BeforeSettings116AMachineHasACardWithoutAnyElement) {
  ASSERT_TRUE(hardware_of("", "1.15-linux").sound);
  EXPECT_EQ(hardware_of("", "1.15-linux").sound->model, Sound::Model::ac97);
  EXPECT_FALSE(hardware_of("", "1.16-linux").sound);
}

TEST(Sound, Models) {
  const auto model = [](const std::string &text) {
    return hardware_of("<AudioAdapter enabled='true' controller='" + text + "'/>").sound->model;
  };
  EXPECT_EQ(model("AC97"), Sound::Model::ac97);
  EXPECT_EQ(model("SB16"), Sound::Model::sb16);
  EXPECT_EQ(model("HDA"), Sound::Model::hda);
  EXPECT_EQ(model("Virtio-Sound"), Sound::Model::virtio);
  const Sound sound = *hardware_of("<AudioAdapter enabled='true' codec='AD1980' driver='ALSA'/>").sound;
  EXPECT_EQ(sound.codec, "AD1980");
  EXPECT_EQ(sound.host_driver, "ALSA");
  EXPECT_EQ(sound.pci_slot, 5U);
  EXPECT_FALSE(hardware_of("<AudioAdapter enabled='true' controller='SB16'/>").sound->pci_slot);  // ISA
}

TEST(Usb, EverySpelling) {
  using Type = UsbController::Type;
  const auto types = [](const std::string &text, const std::string &version) {
    std::vector<Type> out;
    for (const UsbController &controller : hardware_of(text, version).usb_controllers) out.push_back(controller.type);
    return out;
  };
  EXPECT_EQ(types("<USBController enabled='true' enabledEhci='true'/>", "1.12-linux"),
            (std::vector<Type>{Type::ohci, Type::ehci}));
  EXPECT_TRUE(types("<USBController enabled='false' enabledEhci='true'/>", "1.12-linux").empty());
  EXPECT_EQ(types("<USB><Controllers><Controller name='a' type='OHCI'/><Controller name='b' type='EHCI'/>"
                  "<Controller name='c' type='XHCI'/></Controllers></USB>",
                  "1.16-linux"),
            (std::vector<Type>{Type::ohci, Type::ehci, Type::xhci}));
  const auto piix3 = hardware_of("<USBController enabled='true' enabledEhci='true'/>", "1.12-linux").usb_controllers;
  EXPECT_EQ(piix3.at(0).pci_slot, 6U);
  EXPECT_EQ(piix3.at(1).pci_slot, 11U);
  const auto ich9 = hardware_of(
                        "<Chipset type='ICH9'/><USB><Controllers><Controller name='a' type='OHCI'/>"
                        "<Controller name='b' type='EHCI'/><Controller name='c' type='XHCI'/></Controllers></USB>")
                        .usb_controllers;
  EXPECT_EQ(ich9.at(0).pci_slot, 31U);
  EXPECT_EQ(ich9.at(1).pci_slot, 31U);
  EXPECT_EQ(ich9.at(2).pci_slot, 12U);
}

TEST(Usb, Filters) {
  const auto filters = hardware_of(
                           "<USB><DeviceFilters><DeviceFilter name='t' active='false' vendorId='096e' productId='0006' "
                           "revision='0100' manufacturer='A' product='P' serialNumber='42' port='1' remote='no' "
                           "maskedInterfaces='2'/></DeviceFilters></USB>")
                           .usb_filters;
  ASSERT_EQ(filters.size(), 1U);
  EXPECT_EQ(filters[0].name, "t");
  EXPECT_FALSE(filters[0].active);
  EXPECT_EQ(filters[0].vendor_id, "096e");
  EXPECT_EQ(filters[0].product_id, "0006");
  EXPECT_EQ(filters[0].revision, "0100");
  EXPECT_EQ(filters[0].manufacturer, "A");
  EXPECT_EQ(filters[0].product, "P");
  EXPECT_EQ(filters[0].serial_number, "42");
  EXPECT_EQ(filters[0].port, "1");
  const auto old = hardware_of(
                       "<USBController enabled='true'><DeviceFilter name='o' active='1' vendorid='0951' "
                       "productid='1603' serialnumber='7'/></USBController>",
                       "1.2-linux")
                       .usb_filters;
  EXPECT_EQ(old.at(0).vendor_id, "0951");
  EXPECT_EQ(old.at(0).serial_number, "7");
}

TEST(Ports, EveryBackend) {
  using Backend = CharPort::Backend;
  const auto port = [](const std::string &attributes) {
    return hardware_of("<UART><Port slot='1' enabled='true' IOBase='0x2f8' IRQ='3' " + attributes + "/></UART>")
        .serial_ports.at(0);
  };
  EXPECT_EQ(port("hostMode='Disconnected'").backend, Backend::disconnected);
  EXPECT_EQ(port("hostMode='HostPipe' path='/tmp/s' server='true'").backend, Backend::unix_socket);
  EXPECT_TRUE(port("hostMode='HostPipe' path='/tmp/s' server='true'").server);
  EXPECT_EQ(port(R"(hostMode='HostPipe' path='\\.\pipe\x')").backend, Backend::pipe);
  EXPECT_EQ(port("hostMode='HostDevice' path='/dev/ttyS0'").backend, Backend::host_device);
  EXPECT_EQ(port("hostMode='RawFile' path='/tmp/log'").backend, Backend::file);
  EXPECT_EQ(port("hostMode='TCP' path='2023' server='true'").path, "0.0.0.0:2023");
  EXPECT_EQ(port("hostMode='TCP' path='host:99'").path, "host:99");
  const CharPort any = port("hostMode='Disconnected' uartType='16750'");
  EXPECT_EQ(any.slot, 1U);
  EXPECT_EQ(any.io_base, 0x2f8U);
  EXPECT_EQ(any.irq, 3U);
  EXPECT_EQ(any.uart, "16750");
}

TEST(Ports, OldSpellingsAndOnesThatAreOff) {
  const Hardware old = hardware_of(
      "<Uart><Port slot='0' enabled='true' IOBase='3f8' IRQ='4' hostMode='Disconnected'/>"
      "</Uart><Lpt><Port slot='0' enabled='true' IOBase='378' IRQ='7' "
      "path='/dev/parport0'/></Lpt>",
      "1.2-linux");
  EXPECT_EQ(old.serial_ports.at(0).io_base, 0x3f8U);
  EXPECT_EQ(old.parallel_ports.at(0).io_base, 0x378U);
  EXPECT_EQ(old.parallel_ports.at(0).backend, CharPort::Backend::host_device);
  EXPECT_TRUE(
      hardware_of("<UART><Port slot='0' enabled='false' IOBase='0x3f8' IRQ='4' hostMode='Disconnected'/></UART>")
          .serial_ports.empty());
  EXPECT_EQ(
      hardware_of("<UART><Port slot='0' enabled='true' IOAddress='0x3f8' IRQ='4' hostMode='Disconnected'/></UART>",
                  "1.20-linux")
          .serial_ports.at(0)
          .io_base,
      0x3f8U);
}

TEST(Devices, InputAndSharedFolders) {
  const Hardware hw = hardware_of(
      "<HID Pointing='USBTablet' Keyboard='USBKeyboard'/><SharedFolders><SharedFolder "
      "name='s' hostPath='C:\\x' writable='true' autoMount='true' autoMountPoint='/m'/>"
      "</SharedFolders>");
  EXPECT_EQ(hw.input.pointing, Input::Pointing::usb_tablet);
  EXPECT_EQ(hw.input.keyboard, Input::Keyboard::usb);
  ASSERT_EQ(hw.shared_folders.size(), 1U);
  EXPECT_EQ(hw.shared_folders[0].host_path, "C:\\x");
  EXPECT_TRUE(hw.shared_folders[0].writable);
  EXPECT_TRUE(hw.shared_folders[0].auto_mount);
  EXPECT_EQ(hw.shared_folders[0].mount_point, "/m");
}

TEST(Devices, PciPassthroughIsSaid) {
  Text text;
  text.hardware = "<HostPci><Devices><Device host='1' guest='2' name='GPU'/></Devices></HostPci>";
  EXPECT_EQ(count_findings(import_text(text), kHostPci), 1U);
}

}  // namespace
}  // namespace ferry::vbox::test
