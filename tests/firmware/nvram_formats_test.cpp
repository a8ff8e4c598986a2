// SPDX-License-Identifier: Apache-2.0
// The containers: VirtualBox's volume and tar, VMware's chunks.
#include <algorithm>
#include <gmock/gmock.h>

#include "converters/firmware/vbox_nvram.hpp"
#include "converters/firmware/vmware_nvram.hpp"
#include "tests/firmware/builder.hpp"

namespace ferry::firmware {
namespace {

using namespace testing;  // NOLINT: the builder's
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Place kPlace{.file = "machine.nvram", .line = std::nullopt, .path = {}};

template <class Work>
std::string error_of(const Work &work) {
  try {
    work();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::malformed);
    return error.what();
  }
  return "no error";
}

std::string vbox_error(const Bytes &content) {
  return error_of([&] { (void)parse_vbox_nvram(content, kPlace); });
}

TEST(VboxNvram, AVolumeIsTheWholeFile) {
  const Bytes volume = store({}, kLayoutTiny);
  EXPECT_TRUE(is_vbox_nvram(volume));
  EXPECT_EQ(parse_vbox_nvram(volume, kPlace).volume, volume);
}

TEST(VboxNvram, ATarHoldsVolumeAndTpmAndHasNoEnd) {
  Bytes tar = tar_member("TpmEmuTpms/permall", Bytes(1346, 7));
  put(tar, tar_member("efi/nvram", store({}, kLayoutTiny)));
  ASSERT_TRUE(is_vbox_nvram(tar));
  const VboxNvram found = parse_vbox_nvram(tar, kPlace);
  EXPECT_EQ(found.volume, store({}, kLayoutTiny));
  EXPECT_EQ(found.tpm_state, Bytes(1346, 7));
}

TEST(VboxNvram, ABiosMachinesTarHoldsTheTpmAlone) {
  const VboxNvram found = parse_vbox_nvram(tar_member("TpmEmuTpms/permall", Bytes(10, 7)), kPlace);
  EXPECT_THAT(found.volume, IsEmpty());
  EXPECT_THAT(found.tpm_state, SizeIs(10));
}

TEST(VboxNvram, EndBlocksAndOtherMembersAreTakenQuietly) {
  Bytes tar = tar_member("other/../../thing", Bytes(600, 1));
  put(tar, tar_member("efi/nvram", Bytes(3, 9)));
  put(tar, Bytes(1024, 0));
  EXPECT_EQ(parse_vbox_nvram(tar, kPlace).volume, Bytes(3, 9));
}

TEST(VboxNvram, AWrongTarIsRefused) {
  const Bytes good = tar_member("efi/nvram", Bytes(600, 1));
  Bytes checksum = good;
  checksum[0] = 'E';
  EXPECT_THAT(vbox_error(checksum), HasSubstr("checksum"));
  EXPECT_THAT(vbox_error({good.begin(), good.begin() + 700}), HasSubstr("member data"));
  Bytes twice = good;
  put(twice, good);
  EXPECT_THAT(vbox_error(twice), HasSubstr("twice"));
  EXPECT_THAT(vbox_error(tar_member("efi/nvram", Bytes(3, 1), '2')), HasSubstr("not a file"));
  Bytes no_start = good;
  put(no_start, Bytes(512, 'x'));
  EXPECT_THAT(vbox_error(no_start), HasSubstr("tar magic"));
  Bytes ragged = good;
  put(ragged, Bytes(10, 0));
  EXPECT_THAT(vbox_error(ragged), HasSubstr("tar header"));
}

Bytes with_size(const std::string &size) {
  Bytes tar = tar_member("efi/nvram", Bytes(3, 1));
  std::copy(size.begin(), size.end(), tar.begin() + 124);
  std::fill(tar.begin() + 148, tar.begin() + 156, ' ');
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += tar[i];
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  std::copy(text, text + 7, tar.begin() + 148);
  return tar;
}

TEST(VboxNvram, AMembersSizeIsChecked) {
  EXPECT_THAT(vbox_error(with_size("77777777777")), HasSubstr("larger than its file"));
  EXPECT_THAT(vbox_error(with_size("777777777777")), HasSubstr("larger than its file"));
  EXPECT_THAT(vbox_error(with_size("0000000001x")), HasSubstr("not octal"));
  EXPECT_THAT(vbox_error(with_size("           ")), HasSubstr("missing"));
}

TEST(VboxNvram, MoreThanAMebibyteIsNotVirtualBoxs) {
  Bytes large = store();
  large.resize((1U << 20U) + 1, 0);
  EXPECT_THAT(vbox_error(large), HasSubstr("too large"));
}

std::string vmware_error(const Bytes &content) {
  return error_of([&] { (void)parse_vmware_nvram(content, kPlace); });
}

TEST(VmwareNvram, ReadsPackedRecords) {
  const Bytes content = vmware_nvram({{u"Boot0080", kShimGuid, {1, 2, 3}}, {u"BootOrder", kGlobalGuid, {4, 0}, 0x7}});
  ASSERT_TRUE(is_vmware_nvram(content));
  EXPECT_FALSE(is_vbox_nvram(content));
  const auto found = parse_vmware_nvram(content, kPlace);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].name, u"Boot0080");
  EXPECT_EQ(found[0].guid, kShimGuid);
  EXPECT_EQ(found[0].data, (Bytes{1, 2, 3}));
  EXPECT_EQ(found[1].attributes, 7U);
  EXPECT_EQ(found[1].data, (Bytes{4, 0}));
}

TEST(VmwareNvram, ABiosMachinesFileHasNone) {
  Bytes content = bytes("MRVN");
  put(content, 1, 4);
  put(content, vmware_chunk("CMOS", Bytes(128, 2)));
  EXPECT_THAT(parse_vmware_nvram(content, kPlace), IsEmpty());
}

TEST(VmwareNvram, TheNameOfTheChunkInsideAnotherIsNotOne) {
  Bytes content = bytes("MRVN");
  put(content, 1, 4);
  put(content, vmware_chunk("CMOS", bytes("EFI_NV\0\0\1\0\0\0x")));
  EXPECT_THAT(parse_vmware_nvram(content, kPlace), IsEmpty());
}

TEST(VmwareNvram, AnEncryptedFileIsKnownByItsStart) {
  EXPECT_TRUE(is_encrypted_vmware_nvram(Bytes{0x9E, 0xDD, 0x43, 0x89, 0}));
  EXPECT_FALSE(is_encrypted_vmware_nvram(Bytes{0x9E, 0xDD, 0x43}));
}

TEST(VmwareNvram, DamageIsNamed) {
  const Bytes good = vmware_nvram({{u"Boot0000", kGlobalGuid, {1, 2, 3}}});
  EXPECT_THAT(vmware_error({good.begin(), good.end() - 1}), HasSubstr("chunk EFI_NV"));
  EXPECT_THAT(vmware_error(Bytes(100, 0)), HasSubstr("MRVN"));
  const std::size_t area = good.size() - 262144;
  struct Case {
    std::size_t offset;
    std::uint64_t value;
    const char *message;
  };
  for (const Case &test :
       {Case{0, 0, "VMWNVRAM"}, Case{12, 15, "impossible length"}, Case{12, 262145, "impossible length"},
        Case{12, 40, "cut off"}, Case{16 + 20, 0xFFFFFFFF, "longer than its area"},
        Case{16 + 24, 0xFFFFFFFF, "longer than its area"}, Case{16 + 24, 22, "longer than its area"},
        Case{16 + 24, 17, "name is not terminated"}, Case{16 + 24, 0, "name is not terminated"}}) {
    Bytes damaged = good;
    set(damaged, area + test.offset, test.value, 4);
    EXPECT_THAT(vmware_error(damaged), HasSubstr(test.message)) << test.offset << ' ' << test.value;
  }
  Bytes twice = good;
  put(twice, vmware_chunk("EFI_NV", vmware_area({}, 16)));
  EXPECT_THAT(vmware_error(twice), HasSubstr("twice"));
}

}  // namespace
}  // namespace ferry::firmware
