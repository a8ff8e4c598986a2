// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "exporters/report/report.hpp"

namespace ferry::report {
namespace {

using testing::HasSubstr;

NamedDocument part(std::size_t index, std::size_t count, const std::string &manifest = std::string(64, 'a')) {
  Document out{.tool = "virt-ferry 1", .host = index == 1 ? "one" : "other"};
  out.shard = Shard{index, count, manifest};
  out.machines.push_back({.name = "machine " + std::to_string(index), .kind = "vbox", .status = Status::migrated});
  return {"r-" + std::to_string(index) + ".json", out};
}

std::string refusal(const std::vector<NamedDocument> &parts) {
  try {
    (void)merged(parts);
    return {};
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.detail().where.file.string() + ": " + error.detail().message + ": " + error.detail().found;
  }
}

TEST(Merge, MachinesStandInTheOrderOfTheShards) {
  const Document all = merged({part(3, 3), part(1, 3), part(2, 3)});
  ASSERT_EQ(all.machines.size(), 3U);
  EXPECT_EQ(all.machines[0].name, "machine 1");
  EXPECT_EQ(all.machines[2].name, "machine 3");
  EXPECT_EQ(all.host, "one, other");
  EXPECT_FALSE(all.shard);
}

TEST(Merge, GapsAndDoublesAreRefused) {
  EXPECT_THAT(refusal({part(1, 4), part(3, 4)}), HasSubstr("no shard 2, 4"));
  EXPECT_THAT(refusal({part(1, 2), part(2, 2), part(2, 2)}), HasSubstr("shard 2 is there twice"));
  EXPECT_THAT(refusal({part(1, 2), part(2, 3)}), HasSubstr("r-2.json: the manifest was cut into another number"));
  EXPECT_THAT(refusal({part(1, 2), part(2, 2, std::string(64, 'b'))}), HasSubstr("r-2.json: the report is of another"));
  NamedDocument whole = part(1, 1);
  whole.document.shard.reset();
  EXPECT_THAT(refusal({whole}), HasSubstr("not the report of a shard"));
}

TEST(Merge, TheShardAndWhetherToTryAgainAreReadBack) {
  Document document = part(2, 8).document;
  document.machines[0].number = 3;
  document.machines[0].refusal = Refusal{ErrorKind::unreachable, {.message = "no answer"}};
  const std::string json = as_json(document);
  EXPECT_THAT(json, HasSubstr("\"retry\": true"));
  const Document back = from_json(json);
  EXPECT_EQ(back.shard, document.shard);
  EXPECT_EQ(back.machines[0].number, 3U);
  document.machines[0].refusal->kind = ErrorKind::malformed;
  EXPECT_THAT(as_json(document), HasSubstr("\"retry\": false"));
}

}  // namespace
}  // namespace ferry::report
