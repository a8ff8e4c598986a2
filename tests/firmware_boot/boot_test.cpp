// SPDX-License-Identifier: Apache-2.0
// The proof that carrying is worth it: a disk whose ESP holds \EFI\debian\grubx64.efi and no \EFI\BOOT\BOOTX64.EFI, in
// a PC with OVMF. With the carried store the firmware starts the loader; with the host's blank one it ends in the UEFI
// shell, which the shell itself says: a startup.nsh on the ESP starts another program.
#include <chrono>
#include <gmock/gmock.h>

#include "converters/firmware/carry.hpp"
#include "converters/firmware/efi_drivers.hpp"
#include "converters/firmware/made_entries.hpp"
#include "converters/guest/look.hpp"
#include "tests/firmware_boot/efi_program.hpp"
#include "tests/firmware_boot/gpt.hpp"

#include "support/error.hpp"
#include "support/file.hpp"
#include "support/subprocess.hpp"

namespace ferry::firmware {
namespace {

using namespace testing;  // NOLINT: the builder's
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char *kCode = "/usr/share/OVMF/OVMF_CODE_4M.fd";
constexpr const char *kBlank = "/usr/share/OVMF/OVMF_VARS_4M.fd";
constexpr const char *kLoaderSays = "FERRY-LOADER-STARTED";
constexpr const char *kShellSays = "FERRY-SHELL-STARTED";
// A start takes about ten seconds under TCG; the host may do other things too.
constexpr std::chrono::seconds kDeadline{300};
constexpr int kLoaderExit = 2 * 0x10 + 1;
constexpr int kShellExit = 2 * 0x20 + 1;

// Sectors of 512 bytes; the number and the unique GUID of the ESP are what a Boot#### entry names.
constexpr unsigned kEspNumber = 2;
constexpr std::uint64_t kEspStart = 6144;
constexpr std::uint64_t kEspSize = 65536;
constexpr Guid kEspGuid = {0x78, 0xb9, 0xec, 0xeb, 0x02, 0x01, 0x04, 0x43, 0x85, 0x06, 7, 8, 9, 10, 11, 12};

void must(std::string program, std::vector<std::string> arguments) {
  const subprocess::Result result =
      subprocess::run({.program = std::move(program), .arguments = std::move(arguments), .limits = {}, .on_line = {}});
  ASSERT_TRUE(result.ok()) << result.how() << ": " << result.errors;
}

class Boot : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char *file : {kCode, kBlank}) {
      if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file;
    }
    for (const char *program : {"qemu-system-x86_64", "mformat", "mcopy", "mmd"}) {
      if (subprocess::find_program(program).empty()) GTEST_SKIP() << "no " << program;
    }
    make_disk();
  }

  // With an empty ESP but for what the firmware's shell starts.
  void make_empty_disk() {
    constexpr std::uint64_t kSectors = 98304;
    const auto raw =
        folder_.write("disk.raw", gpt_start(kSectors, {{.start = 2048, .size = 4096, .unique = kSomePartition},
                                                       {.start = kEspStart, .size = kEspSize, .unique = kEspGuid}}));
    std::filesystem::resize_file(raw, kSectors * 512);
    esp_ = raw.string() + "@@" + std::to_string(kEspStart * 512);
    must("mformat", {"-i", esp_, "-T", std::to_string(kEspSize), "::"});
    must("mmd", {"-i", esp_, "::/EFI"});
    const auto shell = folder_.write("shell.efi", efi_program(kShellSays, 0x20));
    const auto startup = folder_.write("startup.nsh", bytes("shell.efi\r\n"));
    must("mcopy", {"-i", esp_, shell.string(), startup.string(), "::/"});
  }
  // "EFI/debian/grubx64.efi", which says `text`.
  void add_program(const std::string &path, std::string_view text) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
      (void)subprocess::run({.program = "mmd",
                             .arguments = {"-D", "s", "-i", esp_, "::/" + path.substr(0, slash)},
                             .limits = {},
                             .on_line = {}});  // it may be there
    const auto program = folder_.write("program.efi", efi_program(text, 0x10));
    must("mcopy", {"-i", esp_, program.string(), "::/" + path});
  }
  void make_disk() {
    make_empty_disk();
    add_program("EFI/debian/grubx64.efi", kLoaderSays);
  }

  struct Seen {
    int exit_code = -1;
    std::string serial;
  };
  // `disk`: the device that stands for the disk, in QEMU's words.
  Seen boot(const std::filesystem::path &store, const std::string &disk) {
    const auto serial = folder_.path() / "serial.txt";
    const std::string raw = (folder_.path() / "disk.raw").string();
    subprocess::Command command{
        .program = "qemu-system-x86_64",
        .arguments = {"-nodefaults",   "-machine",
                      "q35,accel=tcg", "-m",
                      "256",           "-display",
                      "none",          "-no-reboot",
                      "-drive",        "if=pflash,unit=0,format=raw,readonly=on,file=" + code_.string(),
                      "-drive",        "if=pflash,unit=1,format=raw,file=" + store.string(),
                      "-drive",        "if=none,id=disk,format=raw,file=" + raw,
                      "-device",       "isa-debug-exit,iobase=0xf4,iosize=0x04",
                      "-serial",       "file:" + serial.string(),
                      "-net",          "none"},
        .limits = {.deadline = kDeadline},
        .on_line = {}};
    for (const char *word : {"-device", disk.c_str()}) command.arguments.emplace_back(word);
    if (disk.starts_with("scsi")) command.arguments.insert(command.arguments.end() - 2, {"-device", adapter_});
    Seen seen;
    std::string how;
    try {
      seen.exit_code = subprocess::run(command).exit_code;
    } catch (const Error &error) {  // the deadline, most likely: what the firmware said until then is what matters
      how = error.what();
    }
    if (std::filesystem::exists(serial)) seen.serial = ferry::test::read_text(serial);
    if (!how.empty()) ADD_FAILURE() << how << "\nthe serial line:\n" << seen.serial;
    return seen;
  }

  // The entry as the source's firmware wrote it: with the way through its own controllers.
  static StoredVariable entry(const char16_t *name) {
    Bytes path = hardware_path();
    put(path, partition_node(kEspNumber, kEspStart, kEspSize, kEspGuid));
    put(path, file_node(u"\\EFI\\debian\\grubx64.efi"));
    put(path, end_node());
    return {name, kGlobalGuid, load_option(u"debian", path)};
  }

  std::filesystem::path carried(const Bytes &source) {
    const auto file = folder_.write("source.nvram", source);
    const NvramContents contents = read_nvram({{.file = file, .offset = 0, .length = std::nullopt}, false});
    auto target = folder_.path() / "web_VARS.fd";
    carry_variables(select_variables(contents, false), kBlank, target);
    return target;
  }

  Folder folder_;
  std::string esp_;                     // as mtools take it
  std::filesystem::path code_ = kCode;  // the firmware
  std::string adapter_ = "virtio-scsi-pci";
};

TEST_F(Boot, WithoutItsVariablesTheGuestEndsInTheShell) {
  const auto store = folder_.path() / "blank_VARS.fd";
  std::filesystem::copy_file(kBlank, store);
  const Seen seen = boot(store, "ide-hd,drive=disk,bus=ide.0");
  EXPECT_EQ(seen.exit_code, kShellExit);
  EXPECT_THAT(seen.serial, HasSubstr(kShellSays));
  EXPECT_THAT(seen.serial, Not(HasSubstr(kLoaderSays)));
}

TEST_F(Boot, WithVirtualBoxsVariablesItsLoaderStarts) {
  Bytes tar = tar_member("TpmEmuTpms/permall", Bytes(1346, 7));
  put(tar, tar_member("efi/nvram", store({entry(u"Boot0004"), {u"BootOrder", kGlobalGuid, boot_order({4})}})));
  const Seen seen = boot(carried(tar), "ide-hd,drive=disk,bus=ide.0");
  EXPECT_EQ(seen.exit_code, kLoaderExit);
  EXPECT_THAT(seen.serial, HasSubstr(kLoaderSays));
}

TEST_F(Boot, WithVmwaresVariablesItsLoaderStartsOnAnotherController) {
  const Seen seen = boot(carried(vmware_nvram({entry(u"Boot0006"), {u"BootOrder", kGlobalGuid, boot_order({6})}})),
                         "scsi-hd,drive=disk");
  EXPECT_EQ(seen.exit_code, kLoaderExit);
  EXPECT_THAT(seen.serial, HasSubstr(kLoaderSays));
}

TEST_F(Boot, WithEntriesThatAreMadeItsLoaderStarts) {
  const auto target = folder_.path() / "made_VARS.fd";
  const Selection made = entries_for({{.partition = kEspNumber,
                                       .start = kEspStart,
                                       .length = kEspSize,
                                       .partition_id = "ebecb978-0102-4304-8506-0708090a0b0c",
                                       .file = "\\EFI\\debian\\grubx64.efi"}},
                                     "x86_64", {});
  carry_variables(made, kBlank, target);
  const Seen seen = boot(target, "ide-hd,drive=disk,bus=ide.0");
  EXPECT_EQ(seen.exit_code, kLoaderExit);
  EXPECT_THAT(seen.serial, HasSubstr(kLoaderSays));
}

TEST_F(Boot, ThatBeingTheOnlyDifferenceTheFirmwareKeepsTheStore) {
  const auto target = carried(store({entry(u"Boot0004"), {u"BootOrder", kGlobalGuid, boot_order({4})}}));
  const Seen first = boot(target, "ide-hd,drive=disk,bus=ide.0");
  ASSERT_EQ(first.exit_code, kLoaderExit) << first.serial;
  const NvramContents after = read_nvram({{.file = target, .offset = 0, .length = std::nullopt}, false});
  ASSERT_EQ(after.kind, NvramKind::virtualbox);  // a plain volume
  const Variable *kept = find(after.variables, u"Boot0004", kGlobalGuid);
  ASSERT_NE(kept, nullptr);
  const Variable *order = find(after.variables, u"BootOrder", kGlobalGuid);
  ASSERT_NE(order, nullptr);
  EXPECT_EQ(order->data[0], 4);
  const Seen second = boot(target, "ide-hd,drive=disk,bus=ide.0");
  EXPECT_EQ(second.exit_code, kLoaderExit) << "at the second start:\n" << second.serial;
}

// ---- what the installers of systems leave on the ESP ----

struct LayoutOf {
  const char *system;
  std::vector<const char *> programs;
  const char *starts;  // the one that its own entry names
};

// But for \EFI\BOOT, which firmware would start without any entry.
const std::vector<LayoutOf> kLayouts{
    {"Debian", {"EFI/debian/grubx64.efi", "EFI/debian/mmx64.efi", "EFI/debian/shimx64.efi"}, "EFI/debian/shimx64.efi"},
    {"Fedora",
     {"EFI/fedora/grubx64.efi", "EFI/fedora/mmx64.efi", "EFI/fedora/shim.efi", "EFI/fedora/shimx64.efi"},
     "EFI/fedora/shimx64.efi"},
    {"Ubuntu", {"EFI/ubuntu/grubx64.efi", "EFI/ubuntu/shimx64.efi"}, "EFI/ubuntu/shimx64.efi"},
    {"openSUSE",
     {"EFI/opensuse/MokManager.efi", "EFI/opensuse/grub.efi", "EFI/opensuse/grubx64.efi", "EFI/opensuse/shim.efi"},
     "EFI/opensuse/shim.efi"},
    {"ArchWithGrub", {"EFI/GRUB/grubx64.efi"}, "EFI/GRUB/grubx64.efi"},
    {"ArchWithSystemdBoot", {"EFI/systemd/systemd-bootx64.efi"}, "EFI/systemd/systemd-bootx64.efi"},
    {"Windows",
     {"EFI/Microsoft/Boot/bootmgfw.efi", "EFI/Microsoft/Boot/bootmgr.efi", "EFI/Microsoft/Boot/memtest.efi"},
     "EFI/Microsoft/Boot/bootmgfw.efi"},
};

class BootLayout : public Boot, public ::testing::WithParamInterface<LayoutOf> {
 protected:
  // By what a look finds on the disk, as a plan does it.
  std::vector<SeenLoader> seen_loaders() {
    Medium medium;
    ImageFile image;
    image.pieces = {{folder_.path() / "disk.raw", 0, std::nullopt}};
    image.declared_format = ImageFormat::raw;
    medium.chain = {image};
    const image::Chain chain = image::open_chain(medium, {});
    guest::Look look;
    look.add(1, chain);
    const Observed observed = look.done();
    std::vector<SeenLoader> out;
    for (const ObservedLoader &loader : observed.loaders) {
      for (const ObservedVolume &volume : observed.volumes) {
        if (volume.number == loader.partition && !volume.part_id.empty())
          out.push_back({.partition = static_cast<std::uint32_t>(volume.number),
                         .start = volume.start / 512,
                         .length = volume.length / 512,
                         .partition_id = volume.part_id,
                         .file = loader.file});
      }
    }
    return out;
  }
};

TEST_P(BootLayout, BootsWithoutVariablesByWhatIsOnTheDisk) {
  make_empty_disk();
  for (const char *program : GetParam().programs) add_program(program, "STARTED " + std::string(program));
  const auto target = folder_.path() / "made_VARS.fd";
  carry_variables(entries_for(seen_loaders(), "x86_64", {}), kBlank, target);
  const Seen seen = boot(target, "ide-hd,drive=disk,bus=ide.0");
  EXPECT_EQ(seen.exit_code, kLoaderExit);
  EXPECT_THAT(seen.serial, HasSubstr("STARTED " + std::string(GetParam().starts)));
}

INSTANTIATE_TEST_SUITE_P(Systems, BootLayout, ::testing::ValuesIn(kLayouts),
                         [](const auto &tested) { return std::string(tested.param.system); });

// ---- firmware with drivers for VMware's and LSI's controllers: Debian's package ovmf-legacy ----

class BootLegacy : public Boot {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kLegacy)) GTEST_SKIP() << "no " << kLegacy;
    Boot::SetUp();
    const std::uint64_t variables = examine_efi_image(kLegacy).variables;
    const auto part = [&](std::uint64_t from, std::optional<std::uint64_t> length, const char *name) {
      return folder_.write(name, file::read_range({kLegacy, from, length}, std::uint64_t{64} << 20U));
    };
    code_ = part(variables, std::nullopt, "CODE.fd");
    store_ = part(0, variables, "VARS.fd");
  }
  static constexpr const char *kLegacy = "/usr/share/ovmf/OVMF.legacy.fd";
  std::filesystem::path store_;
};

TEST_F(BootLegacy, StartsFromPvscsiAndFromSas) {
  for (const char *adapter : {"pvscsi", "mptsas1068"}) {
    adapter_ = adapter;
    make_empty_disk();
    add_program("EFI/debian/shimx64.efi", kLoaderSays);
    const auto target = folder_.path() / (std::string(adapter) + "_VARS.fd");
    carry_variables(entries_for({{.partition = kEspNumber,
                                  .start = kEspStart,
                                  .length = kEspSize,
                                  .partition_id = "ebecb978-0102-4304-8506-0708090a0b0c",
                                  .file = "\\EFI\\debian\\shimx64.efi"}},
                                "x86_64", {}),
                    store_, target);
    const Seen seen = boot(target, "scsi-hd,drive=disk");
    EXPECT_EQ(seen.exit_code, kLoaderExit) << adapter;
    EXPECT_THAT(seen.serial, HasSubstr(kLoaderSays)) << adapter;
  }
}

}  // namespace
}  // namespace ferry::firmware
