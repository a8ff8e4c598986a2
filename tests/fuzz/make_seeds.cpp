// SPDX-License-Identifier: Apache-2.0
// Writes sound inputs of every kind as seeds for the fuzz targets: make_seeds FOLDER makes a folder for each target.
#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/firmware/builder.hpp"
#include "tests/fuzz/spread_file.hpp"
#include "tests/kit/byte_writer.hpp"
#include "tests/kit/disk_images.hpp"
#include "tests/kit/folder.hpp"
#include "tests/look_inside/disks.hpp"
#include "tests/look_inside/hive_writer.hpp"
#include "tests/look_inside/ntfs_volume.hpp"
#include "tests/paths.hpp"

#include "hosts/sftp_packets.hpp"

using namespace ferry::test;
namespace fs = std::filesystem;

namespace {

Bytes bytes_of(const std::string &text) { return {text.begin(), text.end()}; }

// What of an image its target wants: the windows' content, up to the last byte that is not zero.
Bytes packed(const std::string &format, const Bytes &image) {
  Bytes out;
  for (const auto &[offset, length] : ferry::fuzz::spread_of(format).windows) {
    for (std::uint64_t i = offset; i - offset < length && (length != ~std::uint64_t{0} || i < image.size()); ++i) {
      out.push_back(i < image.size() ? image[static_cast<std::size_t>(i)] : std::uint8_t{0});
    }
  }
  return out;
}

// What an SFTP server says to whoever opens and reads a file, or lists a folder; ids count from 1.
Bytes sftp_answers(bool folder) {
  using ferry::sftp::PacketWriter;
  using ferry::sftp::Type;
  Bytes out;
  const auto say = [&out](PacketWriter packet) {
    const auto &bytes = packet.done();
    out.insert(out.end(), bytes.begin(), bytes.end());
  };
  const auto attributes = [](std::uint32_t id) {
    PacketWriter packet(Type::attributes, id);
    return packet.number(1 | 4 | 8).long_number(10).number(0100644).number(0).number(7);
  };
  say(PacketWriter(Type::version, std::nullopt).number(3));
  if (folder) {
    say(PacketWriter(Type::handle, 1).string("h"));
    say(PacketWriter(Type::name, 2).number(1).string("web.vmx").string("").number(4).number(0100644));
    say(PacketWriter(Type::status, 3).number(1).string("").string(""));
    say(PacketWriter(Type::status, 4).number(0).string("").string(""));
    return out;
  }
  say(attributes(1));
  say(PacketWriter(Type::name, 2).number(1).string("/x").string("").number(0));
  say(PacketWriter(Type::handle, 3).string("h"));
  say(attributes(4));
  say(PacketWriter(Type::data, 5).string("0123456789"));
  return out;
}

// Of four clusters of 512 bytes: data, none, zeros, packed.
Bytes small_qcow2(std::uint64_t version) {
  Bytes out;
  ByteWriter writer(out);
  writer.text(0, "QFI\xfb");
  writer.big(4, version, 4);
  writer.big(20, 9, 4);
  writer.big(24, 2048, 8);
  writer.big(36, 1, 4);
  writer.big(40, 512, 8);  // L1
  if (version == 3) writer.big(100, 104, 4);
  writer.big(512, 1024 | std::uint64_t{1} << 63U, 8);
  writer.big(1024, 1536 | std::uint64_t{1} << 63U, 8);
  writer.big(1040, 1, 8);
  writer.big(1048, 2048 | std::uint64_t{1} << 62U, 8);
  writer.grow(2048);
  for (std::uint64_t i = 0; i < 512; ++i) writer.big(1536 + i, i, 1);
  // 512 letters, as a raw deflate stream with one stored block.
  writer.big(2048, 1, 1);
  writer.little(2049, 512, 2);
  writer.little(2051, 0xFDFF, 2);
  for (std::uint64_t i = 0; i < 512; ++i) writer.big(2053 + i, 'a', 1);
  writer.grow(3072);
  return out;
}

Bytes tar(const std::vector<std::pair<std::string, std::string>> &members) {
  Bytes out;
  ByteWriter writer(out);
  for (const auto &[name, text] : members) {
    const std::uint64_t at = out.size();
    writer.text(at, name);
    writer.text(at + 100, "0000644");
    std::string size;
    for (int shift = 30; shift >= 0; shift -= 3) size += static_cast<char>('0' + (text.size() >> shift & 7U));
    writer.text(at + 124, size);
    writer.text(at + 156, "0");
    writer.text(at + 257, "ustar");
    writer.text(at + 263, "00");
    writer.grow(at + 512);
    writer.text(at + 512, text);
    writer.grow((out.size() + 511) / 512 * 512);
  }
  writer.grow(out.size() + 1024);
  return out;
}

// A client of NBD: the handshake, then what is where, reads, and a write.
Bytes client_of_nbd() {
  std::string out(1, '\0');
  const auto big = [&out](std::uint64_t value, unsigned bytes) {
    while (bytes-- > 0) out.push_back(static_cast<char>(value >> (8 * bytes)));
  };
  const auto option = [&](std::uint64_t number, std::uint64_t length) {
    out += "IHAVEOPT";
    big(number, 4);
    big(length, 4);
  };
  const auto request = [&](std::uint64_t command, std::uint64_t offset, std::uint64_t length) {
    big(0x25609513, 4);
    big(command, 4);  // with its flags
    big(1, 8);
    big(offset, 8);
    big(length, 4);
  };
  const std::string context = "base:allocation";
  big(3, 4);
  option(8, 0);
  option(3, 0);
  option(10, 4 + 3 + 4 + 4 + context.size());
  big(3, 4);
  out += "sda";
  big(1, 4);
  big(context.size(), 4);
  out += context;
  option(7, 4 + 3 + 2 + 2);
  big(3, 4);
  out += "sda";
  big(1, 2);
  big(3, 2);
  request(7, 0, 20992);
  request(0, 0, 20992);
  request(0x40000, 4000, 5000);
  request(1, 0, 4);
  out += "abcd";
  request(0, 512, 512);
  request(2, 0, 0);
  return bytes_of(out);
}

// The golden cases' sources; .vmsd lists stand beside a .vmx and are a target of their own.
void put_fixtures(const fs::path &folder) {
  for (const char *target : {"vbox", "vmx", "vmsd", "ovf", "qemu_script", "qemu_options"})
    fs::create_directories(folder / target);
  for (const auto &entry : fs::recursive_directory_iterator(fs::path(FERRY_SOURCE_DIR) / "fixtures")) {
    const std::string suffix = entry.path().extension().string();
    if (suffix != ".vbox" && suffix != ".vmx" && suffix != ".vmsd" && suffix != ".ovf" && suffix != ".sh") continue;
    const auto name = entry.path().parent_path().filename().string() + suffix;
    fs::copy_file(entry.path(), folder / (suffix == ".sh" ? "qemu_script" : suffix.substr(1)) / name,
                  fs::copy_options::overwrite_existing);
  }
}

void put_words(const fs::path &folder) {
  write_file(folder / "qemu_options/words",
             bytes_of("-M\nq35,vmport=off\n-m\n1G\n-drive\nfile=a,,b.img,if=none,id=a,format=raw\n-device\n"
                      "{\"driver\":\"virtio-blk-pci\",\"drive\":\"a\"}\n-nic\nuser,hostfwd=tcp::22-:22\n"));
}

void put_firmware(const fs::path &folder) {
  namespace builder = ferry::firmware::testing;
  for (const char *target : {"nvram_vbox", "nvram_vmware", "boot_option"}) fs::create_directories(folder / target);
  const Bytes option = builder::load_option(u"debian", builder::short_path(u"\\EFI\\debian\\grubx64.efi"), {1, 2});
  const Bytes order{0, 0, 1, 0};
  const std::vector<builder::StoredVariable> variables{{.name = u"Boot0000", .data = option},
                                                       {.name = u"BootOrder", .data = order}};
  write_file(folder / "boot_option/short", option);
  write_file(folder / "boot_option/whole", builder::load_option(u"disk", builder::hardware_path()));
  write_file(folder / "nvram_vbox/volume", builder::store(variables, builder::kLayoutTiny));
  Bytes vmware = bytes_of("MRVN");
  builder::put(vmware, 1, 4);
  builder::put(vmware, builder::vmware_chunk("CMOS", Bytes(16, 2)));
  builder::put(vmware, builder::vmware_chunk("EFI_NV", builder::vmware_area(variables, 512)));
  write_file(folder / "nvram_vmware/plain", vmware);
}

void put_guests(const fs::path &folder) {
  for (const char *target : {"guest_disk", "hive"}) fs::create_directories(folder / target);
  const HiveKey system = system_hive({});
  using Lists = HiveOptions::Lists;
  write_file(folder / "hive/hashed", make_hive(system));
  write_file(folder / "hive/lists", make_hive(system, {.lists = Lists::of_lists}));
  // The beginning of a volume has its tables; what lies behind it is zeros.
  constexpr std::size_t kMost = 131072;
  const TempFolder work;
  const auto put = [&](const char *name, const fs::path &file) {
    Bytes bytes = read_file(file);
    bytes.resize(std::min(bytes.size(), kMost));
    write_file(folder / "guest_disk" / name, bytes);
  };
  {
    NtfsVolume ntfs(work / "ntfs", 2 * kMiB);
    ntfs.write("Windows/System32/config/SYSTEM", make_hive(system));
  }
  put("ntfs", work / "ntfs");
  make_ext(work / "ext2", kMiB, {{"etc/fstab", "/dev/sda1 / ext2\n"}, {"boot/vmlinuz-6", "x"}}, "ext2");
  put("ext2", work / "ext2");
  make_ext(work / "ext4", kMiB, {{"etc/fstab", "/dev/sda1 / ext4\n"}, {"etc/hostname", "web"}});
  put("ext4", work / "ext4");
  make_fat(work / "fat", kMiB, {{"EFI/BOOT/BOOTX64.EFI", "x"}, {"EFI/a long name/grubx64.efi", "x"}}, "12");
  put("fat", work / "fat");
  if (run({"sh", "-c", "command -v mkfs.xfs > /dev/null"}) == 0) {
    make_xfs(work / "xfs", 320 * kMiB, {{"etc/fstab", "/dev/sda1 / xfs\n"}, {"boot/vmlinuz-6", "x"}});
    fs::resize_file(work / "xfs", kMost);
    put("xfs", work / "xfs");
  }
  const std::string id = "aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa";
  write_file(
      work / "lvm",
      lvm_front('a', "web {\nid = \"" + id + "\"\nseqno = 1\nextent_size = 8\nphysical_volumes {\npv0 {\nid = \"" + id +
                         "\"\npe_start = 64\n}\n}\nlogical_volumes {\nroot {\nstatus = [\"READ\", "
                         "\"VISIBLE\"]\nsegment1 {\nstart_extent = 0\nextent_count = 16\ntype = "
                         "\"striped\"\nstripe_count = 1\nstripes = [\"pv0\", 0]\n}\n}\n}\n}\n"));
  put("lvm", work / "lvm");
  make_disk(work / "gpt", "gpt", {{work / "fat", "uefi"}});
  put("gpt", work / "gpt");
  make_disk(work / "dos", "dos", {{work / "fat", "ef"}});
  put("dos", work / "dos");
}

void put_texts(const fs::path &folder) {
  for (const char *target : {"manifest", "host_profile", "journal"}) fs::create_directories(folder / target);
  write_file(folder / "manifest/all",
             bytes_of("defaults:\n  dest: /srv/vms\n  mac: [keep, 2=52:54:00:00:00:01]\nmachines:\n  - source: a.vbox\n"
                      "    name: web\n    start: true\n  - &b {source: b.vmx, snapshots: flatten}\n  - *b\n"));
  fs::copy_file(fs::path(FERRY_SOURCE_DIR) / "fixtures/hosts/debian-12.json", folder / "host_profile/debian-12",
                fs::copy_options::overwrite_existing);
  write_file(folder / "journal/done",
             bytes_of("{\"event\":\"begin\",\"source\":\"/a.vbox\",\"source_size\":5,\"source_time\":7,"
                      "\"machine\":\"a\",\"connect\":\"qemu:///session\",\"dest\":\"/d\"}\n"
                      "{\"event\":\"staging\",\"folder\":\"/d/.virt-ferry-r\"}\n"
                      "{\"event\":\"publish\",\"file\":\"/d/a.qcow2\",\"inode\":3,\"time\":4,\"replaced\":false}\n"
                      "{\"event\":\"define\",\"domain\":\"a\",\"uuid\":\"6f2d8b5c-2a57-4d2c-8b6e-2f1f6a8b9c0d\"}\n"
                      "{\"event\":\"done\"}\n"));
}

Bytes chained(unsigned choice, const std::vector<Bytes> &files) {
  Bytes out{static_cast<std::uint8_t>(choice)};
  for (const Bytes &file : files) {
    out.push_back(static_cast<std::uint8_t>(file.size()));
    out.push_back(static_cast<std::uint8_t>(file.size() >> 8U));
    out.insert(out.end(), file.begin(), file.end());
  }
  return out;
}

}  // namespace

int main(int count, char **arguments) {
  if (count != 2) return 2;
  const fs::path folder = arguments[1];
  const auto put = [&](const std::string &target, const std::string &name, const Bytes &bytes) {
    fs::create_directories(folder / target);
    write_file(folder / target / name, packed(target, bytes));
  };
  // Small blocks: an input's every byte should matter.
  Layer layer{.size = 6 * 512 - 512, .block_size = 512, .blocks = {}, .tag = 1, .order = {4, 0, 3, 1, 2}};
  layer.blocks = {Block::data, Block::absent, Block::zero, Block::data, Block::data};
  Layer partial{.size = 3 * 1024 - 512, .block_size = 1024, .blocks = {}, .tag = 1, .order = {}};
  partial.blocks = {Block::partial, Block::absent, Block::data};
  Layer pages{.size = 5 * 4096 - 512, .block_size = 4096, .blocks = layer.blocks, .tag = 1, .order = {}};
  Identity base;
  base.id = uuid_of(1), base.modification = uuid_of(11);
  Identity child;
  child.id = uuid_of(2);
  child.parent = uuid_of(1), child.parent_modification = uuid_of(11), child.parent_time_stamp = base.time_stamp;
  child.parent_name = "a.vdi";
  const std::string line = "RW 5 SPARSE \"disk\"\n", small = vmdk_descriptor("monolithicSparse", line);
  put("vdi", "dynamic", make_vdi(layer));
  put("vdi", "old", make_vdi(layer, {}, {.version = 2}));
  put("vdi", "extra", make_vdi(layer, {}, {.extra = 512}));
  put("vdi", "child", make_vdi(layer, child));
  put("vmdk_sparse", "bare", make_hosted_sparse(layer, {}));
  put("vmdk_sparse", "plain", make_hosted_sparse(layer, {.descriptor = small, .redundant = true}));
  put("vmdk_sparse", "tables", make_hosted_sparse(layer, {.descriptor = small, .entries_per_table = 4}));
  put("vmdk_stream", "footer",
      make_hosted_sparse(layer, {.descriptor = vmdk_descriptor("streamOptimized", line),
                                 .compressed = true,
                                 .footer = true,
                                 .entries_per_table = 4}));
  put("vmdk_stream", "header", make_hosted_sparse(layer, {.compressed = true, .entries_per_table = 4}));
  put("vmdk_stream", "cut", make_hosted_sparse(partial, {.compressed = true, .cut_last_grain = true}));
  put("cowd", "delta", make_cowd(layer));
  put("sesparse", "delta", make_sesparse(pages));
  put("vhd", "dynamic", make_vhd(partial));
  put("vhd", "child", make_vhd(partial, child));
  put("vhd", "fixed", make_fixed_vhd(Bytes(1024, 1)));
  put("gzip", "members", make_gzip(Bytes(5000, 7), 1000));
  put("vmdk_descriptor", "mixed",
      bytes_of(
          vmdk_descriptor("custom2",
                          "RW 8 FLAT \"flat\" 3\nRDONLY 4 ZERO\nNOACCESS 5 FLAT \"flat\" 0\nRW 8 SPARSE \"sparse\"\n"
                          "RW 8 VMFSSPARSE \"cowd\"\n",
                          child, true)));
  put("vmdk_descriptor", "encoding",
      bytes_of("# Disk DescriptorFile\r\nencoding=\"windows-1252\"\r\nparentFileNameHint=\"..\\x\"\r\n"
               "RW 1 FLAT \"m\xfc\" 0\r\n"));
  const Layer large{.size = 1U << 20U, .block_size = 1U << 20U, .blocks = {Block::partial}, .tag = 1, .order = {}};
  Layer empty = large;
  empty.blocks = {Block::absent};
  put("qcow2_look", "old", small_qcow2(2));
  put("qcow2_look", "new", small_qcow2(3));
  put("vhdx", "empty", make_vhdx(empty));
  put("vhdx", "log", make_vhdx(empty, {}, {.dirty_log = true}));
  Bytes partly = make_vhdx(large, child);
  partly.resize((4U << 20U) + 64);  // the block's first bytes; its bitmap is the next block of zeros
  put("vhdx", "child", partly);

  Bytes qcow(104);
  const std::string magic("QFI\xfb\0\0\0\3", 8);
  std::copy(magic.begin(), magic.end(), qcow.begin());
  qcow[103] = 104;
  Bytes qed(64);
  qed[0] = 'Q', qed[1] = 'E', qed[2] = 'D';
  put("chain", "vdi", chained(0x05, {make_vdi(layer, base), {}, make_vdi(layer, child)}));
  put("chain", "by_name", chained(0x02, {make_vhd(partial, base), make_vhd(partial, child)}));
  put("chain", "known", chained(0x0c, {make_vdi(layer, base), {}, make_vhd(partial, child)}));
  Identity delta;
  delta.parent_cid = base.cid, delta.parent_name = "a.vdi", delta.cid = 7;
  put("chain", "vmdk",
      chained(0x02, {make_hosted_sparse(layer, {.descriptor = vmdk_descriptor("monolithicSparse", line, base)}),
                     make_hosted_sparse(layer, {.descriptor = vmdk_descriptor("monolithicSparse", line, delta)})}));
  put("chain", "qcow2", chained(1, {qcow}));
  put("chain", "qed", chained(1, {qed}));
  put("chain", "parallels", chained(1, {bytes_of("WithoutFreeSpace" + std::string(48, '\1'))}));

  const std::string ovf =
      "<Envelope xmlns='http://schemas.dmtf.org/ovf/envelope/1' "
      "xmlns:ovf='http://schemas.dmtf.org/ovf/envelope/1'><References><File ovf:id='f' "
      "ovf:href='d.vmdk'/></References><DiskSection><Disk ovf:diskId='d' ovf:fileRef='f' "
      "ovf:capacity='1048576'/></DiskSection><VirtualSystem ovf:id='m'/></Envelope>";
  const std::string digest(40, 'a');
  put("ova", "plain", tar({{"m.ovf", ovf}, {"m.mf", "SHA1(m.ovf)= " + digest + "\n"}, {"d.vmdk", "KDMV"}}));
  put("box", "libvirt",
      tar({{"metadata.json", R"({"provider":"libvirt","disks":[{"path":"a.img","format":"raw"}]})"},
           {"Vagrantfile",
            "Vagrant.configure(\"2\") do |c|\nc.vm.provider :libvirt do |l|\nl.memory = 1024\nl.disk_bus = 'sata'\n"
            "l.random :model => 'random'\nend\nend\n"},
           {"a.img", "x"}}));
  put("box", "vmware",
      tar({{"m.vmx", "config.version = \"8\"\nscsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"d.vmdk\"\n"},
           {"Vagrantfile",
            "Vagrant.configure(\"2\") do |c|\nc.vm.provider \"vmware_desktop\" do |v|\nv.vmx[\"memsize\"] = \"1\"\n"
            "end\nend\n"},
           {"d.vmdk", "KDMV"}}));
  put("ova", "no_manifest", tar({{"./m.ovf", ovf}, {"d.vmdk.000000000", "a"}, {"d.vmdk.000000001", "b"}}));
  put("serve", "reads", client_of_nbd());
  put("sftp", "file", sftp_answers(false));
  put("sftp", "folder", sftp_answers(true));
  put("sftp", "zeros", bytes_of("virt-ferry-zeros 100\n10 20\n20 30\n50 100\n"));
  put_guests(folder);
  put_fixtures(folder);
  put_words(folder);
  put_firmware(folder);
  put_texts(folder);
  return 0;
}
