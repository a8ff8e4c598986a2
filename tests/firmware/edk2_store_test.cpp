// SPDX-License-Identifier: Apache-2.0
#include "converters/firmware/edk2_store.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <random>

#include "tests/firmware/builder.hpp"

namespace ferry::firmware {
namespace {

using namespace testing;  // NOLINT: the builder's
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Edk2Store parse(Bytes content) { return {std::move(content), {.file = "nvram", .line = std::nullopt, .path = {}}}; }

std::string error_of(Bytes content) {
  try {
    parse(std::move(content)).require_erased_tail();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::malformed);
    return error.what();
  }
  return "no error";
}

TEST(Edk2Store, ReadsNameGuidAttributesTimeAndData) {
  const Edk2Store found =
      parse(store({{u"PK", kGlobalGuid, {1, 2, 3}, 0x27, 0x3F, 9}, {u"Boot0000", kGlobalGuid, {4}}}));
  ASSERT_THAT(found.variables(), SizeIs(2));
  const Variable &key = found.variables()[0];
  EXPECT_EQ(key.name, u"PK");
  EXPECT_EQ(key.guid, kGlobalGuid);
  EXPECT_EQ(key.attributes, 0x27U);
  EXPECT_EQ(key.timestamp[15], 9);
  EXPECT_EQ(key.data, (Bytes{1, 2, 3}));
  EXPECT_EQ(found.variables()[1].data, Bytes{4});
}

TEST(Edk2Store, EveryLayoutHasItsCapacity) {
  EXPECT_EQ(parse(store({}, kLayout4m)).free_bytes(), 262044U);
  EXPECT_EQ(parse(store({}, kLayout2m)).free_bytes(), 57244U);
}

TEST(Edk2Store, DeletedAndUnfinishedCopiesAreIgnored) {
  for (const std::uint8_t state : Bytes{0x3D, 0x3C, 0x7F, 0xFF}) {
    EXPECT_THAT(parse(store({{u"Boot0000", kGlobalGuid, {1}, 7, state}})).variables(), IsEmpty()) << int{state};
  }
}

TEST(Edk2Store, ACopyInTransitCountsUntilThereIsANewOne) {
  EXPECT_EQ(parse(store({{u"Boot0000", kGlobalGuid, {1}, 7, 0x3C}, {u"Boot0000", kGlobalGuid, {2}, 7, 0x3E}}))
                .variables()
                .at(0)
                .data,
            Bytes{2});
  for (const bool live_first : {true, false}) {
    const StoredVariable live{u"Boot0000", kGlobalGuid, {3}, 7, 0x3F};
    const StoredVariable old{u"Boot0000", kGlobalGuid, {2}, 7, 0x3E};
    const Edk2Store found = parse(live_first ? store({live, old}) : store({old, live}));
    ASSERT_THAT(found.variables(), SizeIs(1));
    EXPECT_EQ(found.variables()[0].data, Bytes{3});
  }
}

TEST(Edk2Store, TheSameNameUnderAnotherGuidIsAnotherVariable) {
  EXPECT_THAT(parse(store({{u"BootOrder", kGlobalGuid, {1, 0}}, {u"BootOrder", kShimGuid, {2, 0}}})).variables(),
              SizeIs(2));
}

TEST(Edk2Store, RemovingClearsTheBitThatFirmwareClears) {
  Edk2Store changed = parse(store({{u"Boot0000", kGlobalGuid, {1}, 7, 0x3F}, {u"Boot0001", kGlobalGuid, {1}}}));
  changed.remove(u"Boot0000", kGlobalGuid);
  EXPECT_EQ(changed.bytes()[0x64 + 2], 0x3D);
  ASSERT_THAT(changed.variables(), SizeIs(1));
  EXPECT_EQ(parse(changed.bytes()).variables(), changed.variables());
}

TEST(Edk2Store, RemovingTakesEveryCopy) {
  Edk2Store changed = parse(store({{u"A", kGlobalGuid, {1}, 7, 0x3E}, {u"A", kGlobalGuid, {2}, 7, 0x3F}}));
  changed.remove(u"A", kGlobalGuid);
  EXPECT_THAT(changed.variables(), IsEmpty());
  EXPECT_THAT(parse(changed.bytes()).variables(), IsEmpty());
}

TEST(Edk2Store, PuttingIsWhatTheBuilderWouldHaveWritten) {
  Edk2Store changed = parse(store({{u"A", kGlobalGuid, {1, 2, 3}}}));
  changed.put({.name = u"Boot0007", .guid = kGlobalGuid, .attributes = 7, .timestamp = {}, .data = {5, 6}});
  EXPECT_EQ(changed.bytes(), store({{u"A", kGlobalGuid, {1, 2, 3}}, {u"Boot0007", kGlobalGuid, {5, 6}}}));
}

TEST(Edk2Store, PuttingReplaces) {
  Edk2Store changed = parse(store({{u"A", kGlobalGuid, {1}}}));
  changed.put({.name = u"A", .guid = kGlobalGuid, .attributes = 3, .timestamp = {}, .data = {2}});
  ASSERT_THAT(changed.variables(), SizeIs(1));
  EXPECT_EQ(changed.variables()[0].data, Bytes{2});
  EXPECT_EQ(parse(changed.bytes()).variables(), changed.variables());
}

TEST(Edk2Store, AFullStoreTakesNoMoreAndStaysAsItIs) {
  Edk2Store changed = parse(store({}, kLayoutTiny));
  const std::size_t capacity = changed.free_bytes();
  const Variable fits{
      .name = u"A", .guid = kGlobalGuid, .attributes = 7, .timestamp = {}, .data = Bytes(capacity - 64, 1)};
  Variable larger = fits;
  larger.data.push_back(1);
  const Bytes before = changed.bytes();
  EXPECT_THROW(changed.put(larger), Error);
  EXPECT_EQ(changed.bytes(), before);
  changed.put(fits);
  EXPECT_EQ(changed.free_bytes(), 0U);
  EXPECT_EQ(parse(changed.bytes()).variables().at(0), fits);
}

// The property that carrying rests on, over stores of any content.
TEST(Edk2Store, WhatWasPutReadsBack) {
  std::mt19937 random(1);
  const auto number = [&random](unsigned limit) { return static_cast<unsigned>(random() % limit); };
  for (int round = 0; round < 200; ++round) {
    Edk2Store changed = parse(store({}, kLayout2m));
    std::vector<Variable> expected;
    for (unsigned i = number(30); i > 0; --i) {
      Variable variable{.name = std::u16string(1 + number(12), static_cast<char16_t>(u'A' + number(4))),
                        .guid = number(2) == 0 ? kGlobalGuid : kShimGuid,
                        .attributes = number(0x80),
                        .timestamp = {},
                        .data = Bytes(number(300), static_cast<std::uint8_t>(number(256)))};
      variable.timestamp[3] = static_cast<std::uint8_t>(number(256));
      std::erase_if(expected,
                    [&](const Variable &old) { return old.name == variable.name && old.guid == variable.guid; });
      expected.push_back(variable);
      changed.put(variable);
    }
    const Edk2Store again = parse(changed.bytes());
    again.require_erased_tail();
    EXPECT_EQ(again.variables(), expected);
    EXPECT_EQ(again.free_bytes(), changed.free_bytes());
  }
}

TEST(Edk2Store, DebiansTemplatesAreStores) {
  for (const char *file :
       {"/usr/share/OVMF/OVMF_VARS_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS.fd"}) {
    if (!std::filesystem::exists(file)) continue;
    const Edk2Store found = parse(read(file));
    EXPECT_NO_THROW(found.require_erased_tail()) << file;
    const bool enrolled = std::string(file).find(".ms.") != std::string::npos;
    EXPECT_EQ(find(found.variables(), u"PK", kGlobalGuid) != nullptr, enrolled) << file;
    // Three copies of BootOrder lie in the enrolled store, all dead.
    EXPECT_EQ(find(found.variables(), u"BootOrder", kGlobalGuid), nullptr) << file;
  }
}

// ---- damaged stores: one message each ----

TEST(Edk2StoreError, ZerosAreNoVolume) { EXPECT_THAT(error_of(Bytes(65536, 0)), HasSubstr("0x10 (file system GUID)")); }

TEST(Edk2StoreError, EveryTruncationIsNoticed) {
  const Bytes whole = store({{u"Boot0000", kGlobalGuid, {1}}}, kLayoutTiny);
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    EXPECT_NE(error_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}), "no error") << size;
  }
}

TEST(Edk2StoreError, HeaderFieldsAreChecked) {
  struct Case {
    std::size_t offset;
    std::uint64_t value;
    int size;
    const char *message;
  };
  for (const Case &test :
       {Case{0x28, 0x48465660, 4, "0x28 (signature)"}, Case{0x20, 0x84001, 8, "longer than its file"},
        Case{0x20, ~std::uint64_t{0}, 8, "longer than its file"}, Case{0x30, 0x46, 2, "header length"},
        Case{0x30, 0x49, 2, "header length"}, Case{0x30, 0xFFFE, 2, "checksum"}, Case{0x48, 0, 4, "store GUID"},
        Case{0x58, 27, 4, "store size"}, Case{0x58, 0x83FB9, 4, "store size"}, Case{0x58, 0xFFFFFFFF, 4, "store size"},
        Case{0x5C, 0xFF, 1, "not formatted"}, Case{0x5D, 0xFF, 1, "not healthy"}}) {
    Bytes damaged = store();
    set(damaged, test.offset, test.value, test.size);
    if (test.value != 0xFFFE) fix_checksum(damaged);
    EXPECT_THAT(error_of(damaged), HasSubstr(test.message)) << test.offset;
  }
}

TEST(Edk2StoreError, AWrongChecksumIsNamed) {
  Bytes damaged = store();
  damaged[0x2C] ^= 1;
  EXPECT_THAT(error_of(damaged), HasSubstr("0x32 (checksum)"));
}

TEST(Edk2StoreError, UnauthenticatedStoresAreUnsupported) {
  Bytes plain = store();
  const Bytes guid = {0x16, 0x36, 0xcf, 0xdd, 0x75, 0x32, 0x64, 0x41, 0x98, 0xb6, 0xfe, 0x85, 0x70, 0x7f, 0xfe, 0x7d};
  std::ranges::copy(guid, plain.begin() + 0x48);
  try {
    parse(plain);
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  }
}

TEST(Edk2StoreError, SizesOfVariablesAreChecked) {
  for (const std::size_t field : {std::size_t{0x24}, std::size_t{0x28}}) {
    for (const std::uint64_t value : {0x40000UL, 0xFFFFFFFFUL}) {
      Bytes damaged = store({{u"Boot0000", kGlobalGuid, {1}}});
      set(damaged, 0x64 + field, value, 4);
      EXPECT_THAT(error_of(damaged), HasSubstr("longer than its store"));
    }
  }
}

TEST(Edk2StoreError, ANameMustEnd) {
  for (const std::uint64_t size : {0UL, 1UL, 17UL, 16UL}) {
    Bytes damaged = store({{u"Boot0000", kGlobalGuid, Bytes(20, 1)}});
    set(damaged, 0x64 + 0x24, size, 4);
    EXPECT_THAT(error_of(damaged), HasSubstr("name is not terminated")) << size;
  }
}

TEST(Edk2StoreError, AnUnfinishedRecordWithErasedSizesEndsTheList) {
  StoredVariable unfinished{u"B", kGlobalGuid, {1}, 7, 0xFF};
  Bytes content = store({{u"A", kGlobalGuid, {1}}, unfinished});
  set(content, 0x64 + record({u"A", kGlobalGuid, {1}}).size() + 0x24, ~std::uint64_t{0}, 8);
  EXPECT_THAT(parse(content).variables(), SizeIs(1));
  EXPECT_THAT(error_of(content), HasSubstr("after its last variable"));
}

TEST(Edk2StoreError, ATemplateEndsErased) {
  Bytes damaged = store({{u"A", kGlobalGuid, {1}}});
  damaged[0x3FFFF] = 0;
  EXPECT_THAT(error_of(damaged), HasSubstr("0x3ffff (free space)"));
}

}  // namespace
}  // namespace ferry::firmware
