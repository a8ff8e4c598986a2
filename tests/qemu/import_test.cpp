// SPDX-License-Identifier: Apache-2.0
// What a QEMU command means: the devices, and the places that QEMU 7.2 gives them [tried on it].
#include <algorithm>
#include <gtest/gtest.h>

#include "importers/qemu/qemu.hpp"
#include "tests/kit/folder.hpp"

namespace ferry::qemu {
namespace {

class Command {
 public:
  explicit Command(const std::string &words, const ImportOptions &options = {}) {
    folder_.write("start.sh", "#!/bin/sh\nqemu-system-x86_64 " + words + "\n");
    imported_ = import_file(folder_ / "start.sh", options).front();
  }
  [[nodiscard]] const Hardware &hardware() const { return imported_.machine.hardware; }
  [[nodiscard]] const Machine &machine() const { return imported_.machine; }
  [[nodiscard]] const Ledger &ledger() const { return imported_.ledger; }
  [[nodiscard]] bool found(std::string_view id) const {
    return std::any_of(imported_.findings.begin(), imported_.findings.end(),
                       [&](const Finding &finding) { return finding.id == id; });
  }
  [[nodiscard]] const Drive &drive(std::size_t controller, std::size_t number) const {
    return hardware().controllers.at(controller).drives.at(number);
  }

 private:
  test::TempFolder folder_;
  ImportedMachine imported_;
};

std::string text(const std::optional<PciPlace> &place) {
  if (!place) return "none";
  return std::to_string(place->bus) + ":" + std::to_string(place->slot) + "." + std::to_string(place->function);
}

ErrorKind kind_of_refusal(const std::string &words) {
  try {
    const Command command(words);
  } catch (const Error &error) {
    return error.kind();
  }
  return ErrorKind::internal;
}

TEST(Defaults, ABarePcHasWhatQemuAdds) {
  const Command vm("-hda a.img");
  EXPECT_EQ(vm.hardware().chipset, Chipset::piix3);
  EXPECT_EQ(vm.hardware().memory.bytes, std::uint64_t{128} << 20U);
  EXPECT_EQ(vm.hardware().display.device, "VGA");
  EXPECT_EQ(text(vm.hardware().display.place), "0:2.0");
  ASSERT_EQ(vm.hardware().nics.size(), 1U);
  EXPECT_EQ(vm.hardware().nics[0].device, "e1000");
  EXPECT_EQ(text(vm.hardware().nics[0].place), "0:3.0");
  EXPECT_EQ(vm.hardware().nics[0].mac->text(), "52:54:00:12:34:56");
  EXPECT_EQ(vm.hardware().serial_ports.size(), 1U);
  EXPECT_EQ(vm.hardware().parallel_ports.size(), 1U);
  ASSERT_EQ(vm.hardware().controllers.size(), 2U);  // IDE, floppy
  EXPECT_EQ(vm.drive(0, 1).kind, DriveKind::cdrom);
  EXPECT_EQ(vm.drive(0, 1).port, 1U);
  EXPECT_TRUE(vm.found("qemu.defaults-added"));
}

TEST(Defaults, Q35HasOtherOnesAndOldVersionsTheirOwn) {
  const Command q35("-M q35");
  EXPECT_EQ(q35.hardware().nics.at(0).device, "e1000e");
  EXPECT_EQ(text(q35.hardware().nics.at(0).place), "0:2.0");
  EXPECT_EQ(text(q35.hardware().display.place), "0:1.0");
  EXPECT_EQ(q35.drive(0, 0).port, 2U);  // the CD
  EXPECT_EQ(Command("-M pc-q35-2.11").hardware().nics.at(0).device, "e1000");
  EXPECT_EQ(Command("-M pc-i440fx-2.1").hardware().display.device, "cirrus-vga");
}

TEST(Defaults, NodefaultsAndWhatTakesTheirPlace) {
  const Command none("-nodefaults");
  EXPECT_TRUE(none.hardware().nics.empty());
  EXPECT_EQ(none.hardware().display.adapter, Display::Adapter::none);
  EXPECT_TRUE(none.hardware().serial_ports.empty());
  // A card of -device does not keep the default one away; a back end does.
  EXPECT_EQ(Command("-device e1000").hardware().nics.size(), 2U);
  EXPECT_EQ(Command("-netdev user,id=a -device e1000,netdev=a").hardware().nics.size(), 1U);
  EXPECT_TRUE(Command("-net none").hardware().nics.empty());
}

TEST(Drives, AnIndexIsAPlace) {
  const Command pc("-drive file=a,index=3 -drive file=b,format=raw -cdrom c -drive file=d,bus=0,unit=1");
  const auto &drives = pc.hardware().controllers.at(0).drives;
  ASSERT_EQ(drives.size(), 4U);
  EXPECT_EQ(drives[0].port * 2 + drives[0].device, 3U);
  EXPECT_EQ(drives[1].port * 2 + drives[1].device, 0U);
  EXPECT_EQ(drives[2].port, 1U);
  EXPECT_EQ(drives[3].device, 1U);
  const Command q35("-M q35 -drive file=a,index=5 -cdrom c");
  EXPECT_EQ(q35.drive(0, 0).port, 5U);
  EXPECT_EQ(q35.drive(0, 1).port, 2U);
}

TEST(Screens, WhatDoesNotCrossStaysSo) {
  const Command off("-spice port=0,disable-copy-paste=on,disable-agent-file-xfer=on");
  EXPECT_EQ(off.hardware().display.clipboard, Display::Exchange::off);
  EXPECT_EQ(off.hardware().display.files, Display::Exchange::off);
  const Command silent("-spice port=0,disable-copy-paste=off");
  EXPECT_FALSE(silent.hardware().display.clipboard);
  EXPECT_FALSE(silent.hardware().display.files);
}

TEST(Drives, WhatQemuRefusesIsRefused) {
  EXPECT_EQ(kind_of_refusal("-hda a -drive file=b,index=0"), ErrorKind::malformed);
  EXPECT_EQ(kind_of_refusal("-drive file=a,index=4"), ErrorKind::malformed);
  EXPECT_EQ(kind_of_refusal("-drive file=a,id=x,if=none -device ide-hd,drive=x,bus=sata.1"), ErrorKind::malformed);
  EXPECT_EQ(kind_of_refusal("-device usb-kbd"), ErrorKind::malformed);
  EXPECT_EQ(kind_of_refusal("-device VGA,addr=2 -device e1000,addr=2"), ErrorKind::malformed);
  EXPECT_EQ(kind_of_refusal("-m 8gb"), ErrorKind::malformed);
  EXPECT_EQ(kind_of_refusal("-smp 4,sockets=3,cores=2"), ErrorKind::malformed);
}

TEST(Drives, ADeviceWithoutABusGoesToTheLastOne) {
  const Command pc("-drive file=a,id=a,if=none -device ide-hd,drive=a");
  EXPECT_EQ(pc.drive(0, 0).port, 1U);
  EXPECT_EQ(pc.drive(0, 0).device, 0U);
  const Command two(
      "-M q35 -device ahci,id=sata -drive file=a,id=a,if=none -device ide-hd,drive=a,bus=sata.2 "
      "-drive file=b,id=b,if=none -device ide-hd,drive=b -drive file=c,id=c,if=none -device "
      "ide-hd,drive=c,bus=ide.1");
  ASSERT_EQ(two.hardware().controllers.size(), 2U);
  EXPECT_EQ(two.drive(1, 0).port, 2U);
  EXPECT_EQ(two.drive(1, 1).port, 5U);
  EXPECT_EQ(two.drive(0, 0).port, 1U);
}

TEST(Places, SlotsAreGivenInTheOrderOfCreation) {
  // JSON devices are last, drives of if=virtio before them, cards of -nic before all -device.
  const Command vm(
      "-M q35 -device '{\"driver\":\"virtio-rng-pci\"}' -drive file=v,if=virtio -device AC97 -nic "
      "user,model=rtl8139 -vga none");
  EXPECT_EQ(text(vm.hardware().nics.at(0).place), "0:1.0");
  EXPECT_EQ(text(vm.hardware().sound->place), "0:2.0");
  EXPECT_EQ(text(vm.drive(1, 0).place), "0:3.0");
  EXPECT_EQ(text(vm.hardware().devices.at(0).place), "0:4.0");
}

TEST(Places, AddressesAreHexadecimalAndBridgesHaveSlotsOfTheirOwn) {
  const Command vm(
      "-nodefaults -device pci-bridge,id=b,chassis_nr=1,addr=10 -device e1000,bus=b,addr=0x1.0x2 -device "
      "e1000,bus=b -device e1000");
  EXPECT_EQ(text(vm.hardware().bridges.at(0).place), "0:16.0");
  EXPECT_EQ(text(vm.hardware().nics.at(0).place), "1:1.2");
  EXPECT_EQ(text(vm.hardware().nics.at(1).place), "1:0.0");
  EXPECT_EQ(text(vm.hardware().nics.at(2).place), "0:2.0");
}

TEST(Places, UsbPortsAndTheHubThatQemuPlugsIn) {
  const Command uhci("-usb -device usb-kbd -device usb-tablet -device usb-mouse");
  std::vector<std::string> ports;
  for (const Device &device : uhci.hardware().devices) ports.push_back(device.device + " " + device.usb->port);
  EXPECT_EQ(ports, (std::vector<std::string>{"usb-kbd 1", "usb-hub 2", "usb-tablet 2.1", "usb-mouse 2.2"}));
  const Command xhci("-device qemu-xhci -device usb-kbd,port=3 -device usb-tablet");
  EXPECT_EQ(xhci.hardware().devices.at(1).usb->port, "1");
  const Command q35("-M q35 -usb");
  EXPECT_EQ(q35.hardware().usb_controllers.size(), 4U);
  EXPECT_EQ(text(q35.hardware().usb_controllers.at(0).place), "0:29.7");
}

TEST(Network, AddressesThatQemuGives) {
  const Command vm(
      "-net nic -net user -device e1000 -device e1000,mac=52:54:00:12:34:57 -device "
      "e1000,mac=00:00:00:00:00:00");
  std::vector<std::string> macs;
  for (const Nic &nic : vm.hardware().nics) macs.push_back(nic.mac->text());
  EXPECT_EQ(macs, (std::vector<std::string>{"52:54:00:12:34:56", "52:54:00:12:34:57", "52:54:00:12:34:57",
                                            "52:54:00:12:34:58"}));
}

TEST(Network, Forwards) {
  const Command vm("-nic user,hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=udp::53-10.0.2.15:5353,hostfwd=::80-:8080");
  const auto &forwards = vm.hardware().nics.at(0).forwards;
  ASSERT_EQ(forwards.size(), 3U);
  EXPECT_EQ(forwards[0].host_address, "127.0.0.1");
  EXPECT_EQ(forwards[1].protocol, PortForward::Protocol::udp);
  EXPECT_EQ(forwards[1].guest_address, "10.0.2.15");
  EXPECT_EQ(forwards[2].guest_port, 8080U);
}

TEST(Cpu, WhatSmpLeavesOpenGoesByTheMachineVersion) {
  const auto topology = [](const std::string &words) {
    const Cpu cpu = Command(words).hardware().cpu;
    return std::to_string(cpu.count) + "=" + std::to_string(*cpu.sockets) + "x" +
           std::to_string(*cpu.cores_per_socket) + "x" + std::to_string(*cpu.threads_per_core);
  };
  EXPECT_EQ(topology("-M pc-i440fx-6.1 -smp 4"), "4=4x1x1");
  EXPECT_EQ(topology("-M pc-i440fx-6.2 -smp 4"), "4=1x4x1");
  EXPECT_EQ(topology("-smp 4,cores=2"), "4=2x2x1");
  EXPECT_EQ(topology("-smp cores=4,threads=4"), "16=1x4x4");
  EXPECT_EQ(topology("-smp 2,sockets=2,threads=1"), "2=2x1x1");
}

TEST(Cpu, FeaturesHaveLibvirtsNames) {
  const Command vm("-cpu Penryn,vendor=GenuineIntel,+sse3,+sse4_2,-hypervisor,x2apic=off,check,hv_relaxed,kvm=off");
  const Cpu &cpu = vm.hardware().cpu;
  EXPECT_EQ(cpu.model, "Penryn");
  EXPECT_EQ(cpu.vendor, "GenuineIntel");
  std::string features;
  for (const CpuFeature &feature : cpu.features) features += (feature.enabled ? "+" : "-") + feature.name + " ";
  EXPECT_EQ(features, "+pni +sse4.2 -hypervisor -x2apic ");
  EXPECT_EQ(cpu.enlightenments.at("relaxed"), "on");
  EXPECT_EQ(cpu.hypervisor_hidden, true);
}

TEST(LedgerOfQemu, EveryKeyIsAccountedForAndSecretsAreHidden) {
  const Command vm(
      "-device isa-applesmc,osk=THEKEY -name x,process=y -netdev user,id=n,smb=/srv -device "
      "e1000,netdev=n,romfile= -vnc :1,password=on -object secret,id=s,data=HIDDEN");
  EXPECT_EQ(vm.ledger().counts().unknown, 0U);
  for (const LedgerEntry &entry : vm.ledger().entries()) {
    EXPECT_EQ(entry.value.find("THEKEY"), std::string::npos) << entry.where.path;
    EXPECT_EQ(entry.value.find("HIDDEN"), std::string::npos) << entry.where.path;
  }
  EXPECT_EQ(vm.machine().extra.at("smc.key"), "THEKEY");
}

TEST(Questions, AreAskedByNameAndAnsweredBySet) {
  try {
    const Command command("-hda $DISK -m \"$1\" -uuid $(uuidgen)");
    ADD_FAILURE() << "nothing was asked";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_NE(error.detail().advice.find("--set 1=... --set DISK=..."), std::string::npos) << error.detail().advice;
  }
  ImportOptions options;
  options.set = {{"DISK", "x.img"}, {"1", "64"}};
  const Command vm("-hda $DISK -m \"$1\" -uuid $(uuidgen)", options);
  EXPECT_EQ(vm.hardware().memory.bytes, std::uint64_t{64} << 20U);
  EXPECT_TRUE(vm.found("qemu.open-value"));
}

TEST(Questions, TheNumberOfProcessorsIsThisHosts) {
  const Command vm("-smp $(nproc)");
  EXPECT_GE(vm.hardware().cpu.count, 1U);
  EXPECT_TRUE(vm.found("qemu.host-value"));
}

TEST(Questions, OptionsWithoutAProgramAreTakenForX86) {
  const test::TempFolder folder;
  const auto file = folder.write("vm.txt", "-m 300\n-nodefaults\n-device VGA\n");
  const auto machines = import_file(file, {});
  ASSERT_EQ(machines.size(), 1U);
  const auto &findings = machines.front().findings;
  EXPECT_TRUE(std::any_of(findings.begin(), findings.end(),
                          [](const Finding &one) { return one.id == "qemu.program-unknown"; }));
}

TEST(Places, ASecondDeviceBehindARootPortIsInTheNextSlot) {
  const Command vm("-M q35 -nodefaults -device pcie-root-port,id=p -device e1000e,bus=p -device virtio-rng-pci,bus=p");
  ASSERT_EQ(vm.hardware().devices.size(), 1U);
  EXPECT_EQ(vm.hardware().devices.at(0).place->bus, 1U);
  EXPECT_EQ(vm.hardware().devices.at(0).place->slot, 1U);
}

TEST(Places, SwitchesAndExpanderBusesHaveBuses) {
  const Command vm(
      "-M q35 -nodefaults -device pcie-root-port,id=r,addr=1 -device x3130-upstream,id=up,bus=r -device "
      "xio3130-downstream,id=down,bus=up,chassis=4,port=1,addr=3 -device e1000e,bus=down -device "
      "pxb-pcie,id=x,bus_nr=80 -device pcie-root-port,id=y,bus=x,chassis=9 -device e1000e,bus=y");
  EXPECT_EQ(text(vm.hardware().bridges.at(1).place), "1:0.0");
  EXPECT_EQ(text(vm.hardware().bridges.at(2).place), "2:3.0");
  EXPECT_EQ(vm.hardware().bridges.at(2).chassis, 4U);
  EXPECT_EQ(text(vm.hardware().nics.at(0).place), "3:0.0");
  EXPECT_EQ(text(vm.hardware().bridges.at(4).place), "4:0.0");
  EXPECT_EQ(text(vm.hardware().nics.at(1).place), "5:0.0");
}

TEST(FirmwareStore, WhatIsNoFileIsMadeAnew) {
  const Command vm(
      "-M q35 -blockdev driver=raw,node-name=code,read-only=on,file.driver=file,file.filename=OVMF_CODE.fd -blockdev "
      "driver=raw,node-name=vars,file.driver=rbd,file.pool=p,file.image=i -machine pflash0=code,pflash1=vars");
  EXPECT_FALSE(vm.hardware().firmware.nvram_file.has_value());
  EXPECT_TRUE(vm.found("qemu.store-missing"));
}

TEST(LedgerOfQemu, WhatNoPartOfItKnowsIsDroppedAloud) {
  const Command vm(
      "-smp 2,clusters=1 -machine q35,sgx-epc.0.memdev=x -fsdev local,id=f,path=/srv,security_model=none -device "
      "virtio-9p-pci-transitional,fsdev=f,mount_tag=t");
  EXPECT_EQ(vm.ledger().counts().unknown, 0U);
  EXPECT_TRUE(vm.found("qemu.dropped"));
  const auto &arguments = vm.hardware().qemu_arguments;
  EXPECT_NE(std::find(arguments.begin(), arguments.end(), "-fsdev"), arguments.end());
}

// ---- the TPM's state, which an swtpm of the script keeps ----

// The state that a script of `text` has, as a name below its folder; "-" and why not.
std::string tpm_state(const std::string &text, const std::string &file = "tpm/tpm2-00.permall") {
  const test::TempFolder folder;
  folder.write("vm/start.sh", "#!/bin/sh\n" + text + "\n");
  if (!file.empty()) folder.write("vm/" + file);
  const ImportedMachine imported = import_file(folder / "vm/start.sh", {}).front();
  const Tpm &tpm = *imported.machine.hardware.tpm;
  std::string out = tpm.version == Tpm::Version::v1_2 ? "1.2 " : "";
  if (tpm.state_file) return out + tpm.state_file->lexically_relative(folder / "vm").string();
  for (const Finding &finding : imported.findings) {
    if (finding.id == "qemu.tpm-state") out += "- " + finding.message;
  }
  return out;
}

constexpr const char *kTpmWords =
    "qemu-system-x86_64 -chardev socket,id=c,path=tpm/sock -tpmdev emulator,id=t,chardev=c -device tpm-tis,tpmdev=t";

TEST(TpmOfAScript, TheServerOfItsSocketSaysWhereTheStateIs) {
  const std::string vm = kTpmWords;
  EXPECT_EQ(tpm_state("swtpm socket --tpmstate dir=tpm --ctrl type=unixio,path=tpm/sock --tpm2 -d\n" + vm),
            "tpm/tpm2-00.permall");
  EXPECT_EQ(tpm_state("D=tpm\n/usr/bin/swtpm socket --ctrl type=unixio,path=\"$D/sock\" --terminate "
                      "--tpmstate dir=\"$D\",mode=0600 --tpm2 &\n" +
                      vm),
            "tpm/tpm2-00.permall");
  EXPECT_EQ(tpm_state("if ! pgrep swtpm; then nohup swtpm socket --tpmstate=dir=tpm --ctrl=type=unixio,path=tpm/sock "
                      "--tpm2 & fi\n" +
                      vm),
            "tpm/tpm2-00.permall");
  EXPECT_EQ(
      tpm_state("swtpm socket --tpmstate backend-uri=file://tpm/mine --ctrl type=unixio,path=tpm/sock --tpm2\n" + vm,
                "tpm/mine"),
      "tpm/mine");
  // As our own scripts have it.
  EXPECT_EQ(
      tpm_state(
          "T=tpm R=\"${XDG_RUNTIME_DIR:-/nowhere}/x\"\nln -sfn -- \"$T\" \"$R/tpm\"\nswtpm socket --tpm2 --tpmstate "
          "\"dir=$R/tpm,mode=0600\" --ctrl type=unixio,path=tpm/sock --daemon\n" +
          vm),
      "tpm/tpm2-00.permall");
  EXPECT_EQ(tpm_state("swtpm socket --tpmstate dir=tpm --ctrl type=unixio,path=tpm/sock\n" + vm, "tpm/tpm-00.permall"),
            "1.2 tpm/tpm-00.permall");
}

TEST(TpmOfAScript, OfTwoServersTheOneThatTheMachineConnectsTo) {
  const std::string one = "swtpm socket --tpmstate dir=a --ctrl type=unixio,path=tpm/sock --tpm2\n";
  const std::string two = "swtpm socket --tpmstate dir=b --ctrl type=unixio,path=b/sock --tpm2\n";
  EXPECT_EQ(tpm_state(one + two + kTpmWords, "a/tpm2-00.permall"), "a/tpm2-00.permall");
  EXPECT_EQ(tpm_state(two + one + kTpmWords, "a/tpm2-00.permall"), "a/tpm2-00.permall");
  EXPECT_EQ(tpm_state(two + kTpmWords, "b/tpm2-00.permall").substr(0, 2), "- ") << "it is another machine's";
}

// quickemu's script has the socket beside the state, and may say no more.
TEST(TpmOfAScript, WithoutAServerItIsBesideTheSocket) {
  EXPECT_EQ(tpm_state(kTpmWords), "tpm/tpm2-00.permall");
  EXPECT_NE(tpm_state(kTpmWords, "").find("not beside the socket"), std::string::npos);
}

TEST(TpmOfAScript, WhatCannotBeToldIsSaid) {
  const std::string vm = kTpmWords;
  const auto with = [&](const std::string &state) {
    return tpm_state("swtpm socket --tpmstate " + state + " --ctrl type=unixio,path=tpm/sock --tpm2\n" + vm);
  };
  EXPECT_NE(with("dir=$(mktemp -d)").find("another one at each start"), std::string::npos);
  EXPECT_NE(with("dir=elsewhere").find("there is no "), std::string::npos);
  EXPECT_NE(with("dir=tpm --key pwdfile=k").find("encrypts"), std::string::npos);
}

// ---- macOS ----

std::string release_of(const std::string &text, const std::string &name = "start.sh", const ImportOptions &options = {},
                       const std::string &settings = "") {
  const test::TempFolder folder;
  const std::string smc = " -device isa-applesmc,osk=k\n";
  folder.write("vm/" + name, "#!/bin/bash\n" + text + smc);
  if (!settings.empty()) folder.write(std::filesystem::path(name).stem().string() + ".conf", settings);
  const ImportedMachine imported = import_file(folder / ("vm/" + name), options).front();
  const GuestOs &guest = imported.machine.guest_os;
  const bool told = std::any_of(imported.findings.begin(), imported.findings.end(),
                                [](const Finding &finding) { return finding.id == "qemu.macos-release"; });
  EXPECT_EQ(told, guest.darwin.has_value());
  return guest.darwin ? std::to_string(*guest.darwin) : "open";
}

TEST(MacosRelease, IsWhatNamesSay) {
  EXPECT_EQ(release_of("qemu-system-x86_64 -hda mac_hdd.img"), "open");
  EXPECT_EQ(release_of("qemu-system-x86_64 -name macos-ventura -hda disk.qcow2"), "22");
  EXPECT_EQ(release_of("qemu-system-x86_64 -hda disk.qcow2", "macos-mojave.sh"), "18");
  EXPECT_EQ(release_of("qemu-system-x86_64 -hda macos-big-sur/disk.qcow2"), "20");
  EXPECT_EQ(release_of("qemu-system-x86_64 -cdrom 'Install macOS Monterey.iso'"), "21");
  EXPECT_EQ(release_of("qemu-system-x86_64 -hda Catalina.qcow2 -cdrom Ventura.iso"), "open") << "two things are said";
  EXPECT_EQ(release_of("qemu-system-x86_64 -name Sonoma -hda Catalina.qcow2"), "23") << "the machine's own name counts";
  EXPECT_EQ(release_of("macos_release=\"monterey\"\nqemu-system-x86_64 -hda ventura.qcow2"), "21");
  EXPECT_EQ(release_of("OSX_VERSION=10.15\nqemu-system-x86_64"), "19");
  ImportOptions options;
  options.set["macos_release"] = "sequoia";
  EXPECT_EQ(release_of("macos_release=monterey\nqemu-system-x86_64", "start.sh", options), "24");
  EXPECT_EQ(release_of("qemu-system-x86_64", "mac.sh", {}, "guest_os=\"macos\"\nmacos_release=\"ventura\"\n"), "22");
}

// ---- flash ----

TEST(FirmwareStore, AnImageIsReadForItsContent) {
  const test::TempFolder folder;
  folder.write("start.sh",
               "#!/bin/sh\nqemu-system-x86_64 -drive if=pflash,format=qcow2,readonly=on,file=code.qcow2 "
               "-drive if=pflash,file=vars.img\n");
  folder.write("code.qcow2");
  folder.write("vars.img", "QFI\xfb and more");
  const ImportedMachine imported = import_file(folder / "start.sh", {}).front();
  const Firmware &firmware = imported.machine.hardware.firmware;
  EXPECT_FALSE(firmware.loader_file) << "libvirt starts no qcow2";
  EXPECT_EQ(firmware.nvram_file, folder / "vars.img");
  EXPECT_TRUE(firmware.nvram_qcow2);
}

TEST(Watchdogs, AnActionWithoutOneSaysNothing) {
  const Command none("-watchdog-action poweroff");
  EXPECT_TRUE(none.hardware().qemu_arguments.empty());
  EXPECT_EQ(none.ledger().counts().unknown, 0U);
  const Command chipset("-M q35 -global ICH9-LPC.noreboot=off -watchdog-action poweroff");
  EXPECT_EQ(chipset.hardware().qemu_arguments.back(), "poweroff");
  const Command own("-device i6300esb -watchdog-action poweroff");
  EXPECT_EQ(own.hardware().devices.at(0).properties.at("action"), "poweroff");
}

TEST(Verbatim, UnknownDevicesKeepTheirSlot) {
  const Command vm("-nodefaults -device edu,dma_mask=5 -device AC97 -device isa-debug-exit,iobase=0xf4");
  const auto &arguments = vm.hardware().qemu_arguments;
  EXPECT_NE(std::find(arguments.begin(), arguments.end(), "edu,dma_mask=5,bus=pci.0,addr=0x02"), arguments.end());
  EXPECT_NE(std::find(arguments.begin(), arguments.end(), "isa-debug-exit,iobase=0xf4"), arguments.end());
  EXPECT_EQ(text(vm.hardware().sound->place), "0:3.0");
}

TEST(Boards, OthersAreRefused) {
  for (const char *machine : {"isapc", "microvm", "xenfv", "virt"}) {
    EXPECT_EQ(kind_of_refusal("-M " + std::string(machine)), ErrorKind::unsupported) << machine;
  }
}

TEST(Sniffing, APageThatShowsACommandIsNoMachine) {
  EXPECT_TRUE(starts_qemu("#!/bin/sh\nqemu-system-x86_64 -m 1G\n", "a"));
  EXPECT_TRUE(starts_qemu("LC_ALL=C /usr/bin/kvm -m 1G\n", "a"));
  EXPECT_FALSE(starts_qemu("# Title\n\nTo start (as root):\n\n    qemu-system-x86_64 -m 1G\n", "a"));
  EXPECT_FALSE(starts_qemu("connect: qemu:///session\nmachines:\n  - source: a.vbox\n", "a"));
  EXPECT_FALSE(starts_qemu("#!/usr/bin/python3\nprint('qemu-kvm -m 1')\n", "a"));
}

}  // namespace
}  // namespace ferry::qemu
