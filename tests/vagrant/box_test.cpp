// SPDX-License-Identifier: Apache-2.0
// Boxes for libvirt and VMware: read whatever the order of their members, in the archive and unpacked.
#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>

#include "converters/disk.hpp"
#include "converters/qemu_img.hpp"
#include "exporters/libvirt/host/host_profile.hpp"
#include "exporters/libvirt/target.hpp"
#include "migration/migrate.hpp"
#include "migration/reader.hpp"
#include "migration/source.hpp"
#include "migration/survey.hpp"
#include "tests/kit/disk_images.hpp"
#include "tests/kit/scratch.hpp"

#include "support/digest.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;
using test::Block;
using test::Bytes;

struct Member {
  std::string name;
  Bytes content;
};

Bytes bytes(const std::string &text) { return {text.begin(), text.end()}; }

// POSIX ustar, as much as a regular file needs.
Bytes tar_of(const std::vector<Member> &members) {
  Bytes out;
  for (const Member &member : members) {
    std::string header(512, '\0');
    const auto put = [&header](std::size_t at, const std::string &text) { header.replace(at, text.size(), text); };
    const auto octal = [](std::uint64_t value, std::size_t digits) {
      std::string text(digits, '0');
      for (std::size_t i = digits; i-- > 0; value /= 8) text[i] = static_cast<char>('0' + value % 8);
      return text;
    };
    put(0, member.name);
    put(100, octal(0644, 7));
    put(108, octal(0, 7));
    put(116, octal(0, 7));
    put(124, octal(member.content.size(), 11));
    put(136, octal(0, 11));
    put(148, std::string(8, ' '));
    put(156, "0");
    put(257, std::string("ustar\0"
                         "00",
                         8));
    std::uint64_t sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    put(148, octal(sum, 6) + std::string("\0 ", 2));
    out.insert(out.end(), header.begin(), header.end());
    out.insert(out.end(), member.content.begin(), member.content.end());
    out.resize((out.size() + 511) / 512 * 512);
  }
  out.resize(out.size() + 1024);
  return out;
}

std::string sha256(const Bytes &content) {
  Digest digest("SHA256");
  digest.update(content.data(), content.size());
  return digest.finish();
}

constexpr std::uint64_t kMiB = 1U << 20U;
const std::string kMetadata = R"({"provider": "libvirt", "format": "qcow2", "virtual_size": 1})";

class Boxes : public testing::Test {
 protected:
  // Incompressible, so that a compressed box is not passed over in one go.
  static Bytes raw_disk(unsigned tag = 1) {
    Bytes out(4 * kMiB);
    std::uint64_t state = 88172645463325252U + tag;
    for (std::size_t i = 0; i < 3 * kMiB; ++i) {
      state ^= state << 13U;
      state ^= state >> 7U;
      state ^= state << 17U;
      out[i] = static_cast<std::uint8_t>(state);
    }
    return out;
  }

  Bytes qcow2_of(const Bytes &raw, const std::string &name = "made") {
    const fs::path plain = scratch_ / (name + ".raw"), made = scratch_ / (name + ".qcow2");
    test::write_file(plain, raw);
    disk::ConvertRequest request;
    request.medium.chain.push_back(test::image_file(plain, ImageFormat::raw));
    request.target = made;
    request.durable = false;
    disk::convert(request, nullptr, {});
    Bytes out = test::read_file(made);
    fs::remove(made);
    return out;
  }

  fs::path box(const std::vector<Member> &members, bool gzip, const std::string &name = "debian 12.box") {
    const Bytes tar = tar_of(members);
    test::write_file(scratch_ / name, gzip ? test::make_gzip(tar, tar.size()) : tar);
    return scratch_ / name;
  }

  struct Source {
    std::shared_ptr<Reader> reader;
    ReadMachine read;
  };
  static Source import(const fs::path &file) {
    Source out{reader_here(find_source(file.string()), {}), {}};
    std::vector<ReadMachine> all = out.reader->import(Newer::look);
    EXPECT_EQ(all.size(), 1U);
    out.read = std::move(all.at(0));
    return out;
  }

  static const Drive &disk_of(const Machine &machine, std::size_t number = 0) {
    for (const DriveRef &ref : drives_of(machine.hardware, "hardware")) {
      if (ref.drive->kind == DriveKind::disk && ref.drive->medium && number-- == 0) return *ref.drive;
    }
    throw std::runtime_error("the machine has no such disk");
  }

  // What a disk becomes.
  disk::ConvertResult converted(const Source &source, std::size_t number = 0) {
    const Machine &machine = source.read.imported.machine;
    disk::ConvertRequest request;
    request.medium = *disk_of(machine, number).medium;
    request.target = scratch_ / "out.qcow2";
    request.replace = true;
    request.durable = false;
    request.verify = true;
    request.open = open_options(machine);
    return disk::convert(request, *source.reader, nullptr, {});
  }

  static report::MachineReport planned(const fs::path &file) {
    libvirt::Target host(libvirt::builtin_host_profile());
    Options options;
    options.define = false;
    options.dest = file.parent_path() / "dest";
    return plan_source(find_source(file.string()), options, host, {}).at(0).report;
  }

  static bool has(const std::vector<Finding> &findings, const std::string &id) {
    return std::any_of(findings.begin(), findings.end(), [&](const Finding &one) { return one.id == id; });
  }

  tests::Scratch scratch_;
};

TEST_F(Boxes, ForLibvirtInAnyOrder) {
  if (!qemu_img::available()) GTEST_SKIP() << "qemu-img is not installed";
  const Bytes raw = raw_disk();
  std::vector<Member> members{
      {"metadata.json", bytes(kMetadata)}, {"./Vagrantfile", bytes("# nothing\n")}, {"box.img", qcow2_of(raw)}};
  const auto by_name = [](const Member &a, const Member &b) { return a.name < b.name; };
  std::sort(members.begin(), members.end(), by_name);
  do {
    for (const bool gzip : {true, false}) {
      SCOPED_TRACE(members.front().name + (gzip ? ".gz" : ""));
      const Source source = import(box(members, gzip));
      const ImportedMachine &imported = source.read.imported;
      const Machine &machine = imported.machine;
      EXPECT_EQ(machine.source.kind, SourceKind::vagrant);
      EXPECT_EQ(machine.name, "debian 12");
      EXPECT_EQ(machine.hardware.memory.bytes, 512 * kMiB);
      EXPECT_EQ(machine.hardware.cpu.count, 1U);
      EXPECT_EQ(machine.hardware.machine_type, "pc");
      ASSERT_EQ(machine.hardware.nics.size(), 1U);
      EXPECT_EQ(machine.hardware.nics[0].model, NicModel::virtio);
      EXPECT_EQ(machine.hardware.serial_ports.size(), 1U);
      EXPECT_TRUE(has(imported.findings, "vagrant.defaults"));
      EXPECT_TRUE(imported.ledger.misspelt().empty());
      EXPECT_EQ(converted(source).sha256, sha256(raw));
    }
  } while (std::next_permutation(members.begin(), members.end(), by_name));
  for (const fs::directory_entry &left : fs::directory_iterator(scratch_.path()))
    EXPECT_EQ(left.path().string().find(".unpacked"), std::string::npos) << left.path();
}

TEST_F(Boxes, ForLibvirtBecomesADomain) {
  const fs::path file = box({{"box.img", qcow2_of(raw_disk())}, {"metadata.json", bytes(kMetadata)}}, true);
  const report::MachineReport report = planned(file);
  ASSERT_FALSE(report.refusal) << report.refusal->detail.message;
  for (const char *part :
       {R"(<target dev="vda" bus="virtio")", R"(<model type="virtio")", R"(<memory unit="KiB">524288)",
        R"(type="qcow2")", "dest/debian 12.qcow2", R"(<serial type="pty")"})
    EXPECT_NE(report.domain_xml.find(part), std::string::npos) << part << "\n" << report.domain_xml;
  EXPECT_EQ(report.domain_xml.find("52:54:00:12:34:56"), std::string::npos) << "QEMU's own default";
  EXPECT_EQ(report.settings.counts().unknown, 0U);
  EXPECT_EQ(report.settings.counts().unsettled, 0U);
  EXPECT_GE(report.space_needed, 3 * kMiB * 2) << "the image, and what it is unpacked to";
}

TEST_F(Boxes, ForLibvirtWithSettingsOfItsOwn) {
  const std::string vagrantfile =
      "Vagrant.configure(\"2\") do |config|\n"
      "  config.vm.base_mac = \"525400aabbcc\"\n"
      "  config.vm.synced_folder \".\", \"/vagrant\", disabled: true\n"
      "  config.vm.provider \"libvirt\" do |v|\n"
      "    v.memory = \"2048\"\n    v.cpus = 3\n    v.disk_bus = \"sata\"\n    v.machine_type = \"q35\"\n"
      "    v.nic_model_type = \"e1000e\"\n    v.loader = \"/usr/share/OVMF/OVMF_CODE.fd\"\n    v.video_type = \"qxl\"\n"
      "    v.tpm_type = \"emulator\"\n    v.tpm_version = \"2.0\"\n"
      "    v.cpu_mode = \"host-passthrough\"\n    v.storage_pool_name = \"x\"\n    v.sound_type = \"ich6\"\n"
      "    v.cputopology :sockets => '1', :cores => '3'\n"
      "  end\nend\n";
  const fs::path file =
      box({{"metadata.json",
            bytes(R"({"provider":"libvirt","disks":[{"path":"a.img","format":"raw"},{"path":"b.qcow2"}]})")},
           {"Vagrantfile", bytes(vagrantfile)},
           {"b.qcow2", qcow2_of(raw_disk(2))},
           {"a.img", raw_disk()}},
          true);
  const Source source = import(file);
  const ImportedMachine &imported = source.read.imported;
  const Hardware &hardware = imported.machine.hardware;
  EXPECT_EQ(hardware.memory.bytes, 2048 * kMiB);
  EXPECT_EQ(hardware.cpu.count, 3U);
  EXPECT_EQ(hardware.firmware.type, FirmwareType::efi64);
  EXPECT_EQ(hardware.nics.at(0).device, "e1000e");
  EXPECT_EQ(hardware.nics.at(0).mac->text(), "52:54:00:aa:bb:cc");
  EXPECT_TRUE(hardware.sound);
  EXPECT_TRUE(has(imported.findings, "vagrant.not-plain")) << "cputopology";
  EXPECT_EQ(disk_of(imported.machine, 1).medium->chain.back().declared_location, "b.qcow2");
  EXPECT_EQ(converted(source).sha256, sha256(raw_disk())) << "raw, read in the box";
  const report::MachineReport report = planned(file);
  ASSERT_FALSE(report.refusal) << report.refusal->detail.message;
  EXPECT_EQ(report.disks.size(), 2U);
  EXPECT_NE(report.domain_xml.find(R"(bus="sata")"), std::string::npos) << report.domain_xml;
  EXPECT_FALSE(has(report.findings, "tpm.sealed")) << "a box's TPM holds nothing yet";
  EXPECT_FALSE(has(report.findings, "firmware.tpm-state-fresh"));
}

TEST_F(Boxes, ForLibvirtWithValuesThatNobodyKnows) {
  const Source source = import(box({{"metadata.json", bytes(kMetadata)},
                                    {"Vagrantfile", bytes("Vagrant.configure(2) do |c|\nc.vm.provider :libvirt do |v|\n"
                                                          "v.memory = 0\nv.disk_bus = 'mfm'\nv.video_type = 'x'\n"
                                                          "v.nic_model_type = 'y'\nend\nend\n")},
                                    {"box.img", Bytes(512)}},
                                   true));
  const ImportedMachine &imported = source.read.imported;
  EXPECT_TRUE(has(imported.findings, "vagrant.bad-value"));
  EXPECT_EQ(imported.machine.hardware.memory.bytes, 512 * kMiB);
  EXPECT_EQ(imported.machine.hardware.nics.at(0).device, "virtio-net-pci");
}

TEST_F(Boxes, UnpackedByVagrant) {
  const fs::path folder = scratch_ / ".vagrant.d/boxes/debian-VAGRANTSLASH-bookworm64/12.1/libvirt";
  fs::create_directories(folder);
  test::write_file(folder / "metadata.json", kMetadata);
  test::write_file(folder / "Vagrantfile", std::string("Vagrant.configure(\"2\") do |config|\nend\n"));
  test::write_file(folder / "box.img", qcow2_of(raw_disk()));
  for (const fs::path &source : {folder, folder / "metadata.json"}) {
    const report::MachineReport report = planned(source);
    ASSERT_FALSE(report.refusal) << report.refusal->detail.message;
    EXPECT_EQ(report.name, "debian-bookworm64");
  }
  fs::remove(folder / "box.img");
  EXPECT_EQ(planned(folder).refusal.value().kind, ErrorKind::missing);
}

TEST_F(Boxes, OfOtherProvidersAreRefusedWithTheReason) {
  const auto advice = [&](const std::string &metadata, const std::string &disk) {
    const auto refusal = planned(box({{"metadata.json", bytes(metadata)}, {disk, Bytes(512)}}, true)).refusal;
    return refusal ? refusal->detail.found + " " + refusal->detail.advice : std::string();
  };
  EXPECT_NE(advice(R"({"provider": "hyperv"})", "Virtual Hard Disks/a.vhdx").find("disk convert"), std::string::npos);
  EXPECT_NE(advice(R"({"provider": "docker"})", "x").find("docker"), std::string::npos);
  EXPECT_NE(advice(R"({"provider": "libvirt", "architecture": "arm64"})", "box.img").find("arm64"), std::string::npos);
  EXPECT_NE(advice(R"({"provider": "libvirt", "disks": []})", "box.img").find("disks"), std::string::npos);
  EXPECT_NE(advice(R"({"provider": "libvirt"})", "other.img").find("Copy"), std::string::npos) << "no box.img";
}

// ---- VMware ----

const std::string kVmx =
    ".encoding = \"UTF-8\"\nconfig.version = \"8\"\nvirtualHW.version = \"19\"\nguestOS = \"debian11-64\"\n"
    "displayName = \"bookworm\"\nmemsize = \"512\"\nscsi0.present = \"TRUE\"\nscsi0.virtualDev = \"lsisas1068\"\n"
    "scsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"disk.vmdk\"\nethernet0.present = \"TRUE\"\n"
    "ethernet0.virtualDev = \"e1000\"\nethernet0.connectionType = \"nat\"\nnvram = \"bookworm.nvram\"\n";

struct SplitDisk {
  std::vector<Member> members;
  Bytes content;
};

// Two extents of 4 MiB each, the first of which holds data.
SplitDisk split_disk() {
  test::Layer layer{.size = 4 * kMiB, .block_size = 65536, .blocks = std::vector<Block>(64, Block::data)};
  layer.blocks[7] = Block::absent;
  test::Layer second = layer;
  second.tag = 2;
  second.blocks.assign(64, Block::absent);
  second.blocks[63] = Block::data;
  SplitDisk out;
  const std::string text = test::vmdk_descriptor(
      "twoGbMaxExtentSparse", "RW 8192 SPARSE \"disk-s001.vmdk\"\nRW 8192 SPARSE \"Disk-s002.vmdk\"\n");
  out.members = {{"disk.vmdk", bytes(text)},
                 {"disk-s001.vmdk", test::make_hosted_sparse(layer, {})},
                 {"disk-s002.vmdk", test::make_hosted_sparse(second, {})}};
  out.content = test::expected_content({layer});
  const Bytes rest = test::expected_content({second});
  out.content.insert(out.content.end(), rest.begin(), rest.end());
  return out;
}

TEST_F(Boxes, ForVmwareWithASplitDiskInAnyOrder) {
  const SplitDisk disk = split_disk();
  for (const bool disk_first : {true, false}) {
    for (const bool gzip : {true, false}) {
      for (const std::string folder : {"", "bookworm/"}) {
        SCOPED_TRACE(folder + (disk_first ? "disk first" : "disk last") + (gzip ? " gz" : ""));
        std::vector<Member> members{{folder + "bookworm.vmx", bytes(kVmx)},
                                    {"metadata.json", bytes(R"({"provider": "vmware_desktop"})")}};
        for (Member member : disk.members) {
          member.name = folder + member.name;
          members.insert(disk_first ? members.begin() : members.end(), member);
        }
        const Source source = import(box(members, gzip));
        const ImportedMachine &imported = source.read.imported;
        EXPECT_EQ(imported.machine.source.kind, SourceKind::vagrant);
        EXPECT_EQ(imported.machine.name, "bookworm");
        EXPECT_EQ(imported.machine.hardware.memory.bytes, 512 * kMiB);
        const disk::ConvertResult result = converted(source);
        EXPECT_EQ(result.engine, disk::Engine::native);
        EXPECT_EQ(result.sha256, sha256(disk.content));
      }
    }
  }
}

TEST_F(Boxes, ForVmwareTakesWhatItsVagrantfileSets) {
  std::vector<Member> members = split_disk().members;
  members.push_back({"bookworm.vmx", bytes(kVmx)});
  members.push_back({"Vagrantfile", bytes("Vagrant.configure(\"2\") do |config|\n"
                                          "config.vm.provider \"vmware_desktop\" do |v|\n"
                                          "v.vmx[\"MemSize\"] = \"1024\"\nv.vmx['numvcpus'] = '2'\n"
                                          "v.vmx[\"ethernet0.present\"] = nil\nv.gui = false\nend\nend\n")});
  const fs::path file = box(members, true);
  const Source source = import(file);
  const ImportedMachine &imported = source.read.imported;
  EXPECT_EQ(imported.machine.hardware.memory.bytes, 1024 * kMiB);
  EXPECT_EQ(imported.machine.hardware.cpu.count, 2U);
  EXPECT_TRUE(imported.machine.hardware.nics.empty());
  EXPECT_FALSE(has(imported.findings, "vmx.duplicate-key"));
  const report::MachineReport report = planned(file);
  ASSERT_FALSE(report.refusal) << report.refusal->detail.message;
  EXPECT_EQ(report.settings.counts().unsettled, 0U);
}

TEST_F(Boxes, ForVmwareWithSnapshotsSaysThatTheyStay) {
  std::vector<Member> members = split_disk().members;
  members.push_back({"bookworm.vmx", bytes(kVmx)});
  members.push_back({"bookworm.vmsd", bytes("snapshot.numSnapshots = \"1\"\nsnapshot0.uid = \"1\"\n")});
  EXPECT_TRUE(has(import(box(members, true)).read.imported.findings, "vagrant.snapshots-left"));
}

// A box for VirtualBox is an OVF package, wherever its disk is.
TEST_F(Boxes, ForVirtualboxInAnyOrder) {
  const std::string ovf =
      "<?xml version=\"1.0\"?><Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" "
      "xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\"><References/><VirtualSystem ovf:id=\"m\"><Info/>"
      "<Name>m</Name><VirtualHardwareSection><Info/></VirtualHardwareSection></VirtualSystem></Envelope>";
  const Bytes disk = raw_disk();
  std::vector<Member> members{{"Vagrantfile", bytes("#")},
                              {"box.ovf", bytes(ovf)},
                              {"disk.vmdk", disk},
                              {"metadata.json", bytes(R"({"provider": "virtualbox"})")}};
  const auto by_name = [](const Member &a, const Member &b) { return a.name < b.name; };
  std::sort(members.begin(), members.end(), by_name);
  do {
    const Source source = import(box(members, true));
    EXPECT_EQ(source.read.imported.machine.source.kind, SourceKind::ovf) << members.front().name;
    EXPECT_EQ(source.read.imported.machine.name, "m");
  } while (std::next_permutation(members.begin(), members.end(), by_name));
}

TEST_F(Boxes, ForVmwareWithoutAnExtentNamesIt) {
  std::vector<Member> members = split_disk().members;
  members.pop_back();
  members.push_back({"bookworm.vmx", bytes(kVmx)});
  const auto refusal = planned(box(members, true)).refusal;
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->kind, ErrorKind::missing);
  EXPECT_NE(refusal->detail.message.find("Disk-s002.vmdk"), std::string::npos) << refusal->detail.message;
}

TEST_F(Boxes, TwoMachinesInOneArchiveAreNamed) {
  const auto refusal = planned(box({{"a/a.vmx", bytes(kVmx)}, {"b/b.vmx", bytes(kVmx)}}, true)).refusal;
  ASSERT_TRUE(refusal);
  EXPECT_NE(refusal->detail.found.find("a/a.vmx, b/b.vmx"), std::string::npos) << refusal->detail.found;
}

}  // namespace
}  // namespace ferry::migration
