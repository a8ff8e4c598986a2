// SPDX-License-Identifier: Apache-2.0
// The messages: what a worker gives is what reading in this process gives, and what is damaged is refused.
#include <gtest/gtest.h>

#include "migration/reader_messages.hpp"
#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

namespace ferry::migration {
namespace {

template <class T>
T again(const T &value) {
  return exact::read<T>(exact::written(value));
}

TEST(Messages, KeepRequests) {
  FillQuestion asked;
  asked.request.medium.chain = {{.declared_location = "a.vdi", .pieces = {{"/d/a.vdi", 512, 1024}}}};
  asked.request.snapshots = {{.name = "one \xff", .created = -5, .medium = asked.request.medium}};
  asked.request.target = "/t/out.qcow2";
  asked.request.format = disk::TargetFormat::raw;
  asked.request.engine = disk::Engine::native;
  asked.request.mode = disk::Mode::share;
  asked.request.compression = disk::Compression::zstd;
  asked.request.cluster_size = 4096;
  asked.request.threads = 3;
  asked.request.durable = false;
  asked.request.source_digest = disk::SourceDigest{.algorithm = "SHA256", .expected = "ab", .where = {.file = "/m"}};
  asked.open.allowed_folders = {"/d"};
  asked.open.registered = std::vector<std::filesystem::path>{"/r"};
  asked.open.places.drives['c'] = "/mnt/c";
  asked.open.allow_modified_parent = true;
  const FillQuestion back = again(asked);
  EXPECT_EQ(exact::written(back), exact::written(asked));
  EXPECT_EQ(back.request.snapshots.at(0).name, "one \xff");
  EXPECT_EQ(back.request.medium.chain.at(0).pieces, asked.request.medium.chain[0].pieces);
  EXPECT_EQ(back.request.mode, disk::Mode::share);
  EXPECT_EQ(back.open.places.drives.at('c'), "/mnt/c");
  const image::OpenOptions open = options_of(back.open);
  ASSERT_TRUE(open.limits.registered);
  EXPECT_EQ(open.limits.registered(), std::vector<std::filesystem::path>{"/r"});
  EXPECT_FALSE(options_of(again(OpenValues{})).limits.registered);
}

TEST(Messages, KeepVariables) {
  firmware::NvramContents contents;
  contents.kind = firmware::NvramKind::virtualbox;
  contents.variables = {
      {.name = u"Boot0000\xd800", .guid = firmware::kGlobalGuid, .attributes = 7, .data = {0, 255, 1}}};
  contents.tpm.state = {1, 2, 254};
  const firmware::NvramContents back = again(contents);
  EXPECT_EQ(back.variables, contents.variables);
  EXPECT_EQ(back.tpm.state, contents.tpm.state);
  EXPECT_EQ(back.kind, contents.kind);
}

TEST(Messages, KeepErrors) {
  const Failure failure{
      ErrorKind::encrypted,
      {.where = {"/a\xff.vbox", 7, "/b"}, .message = "m", .found = "f", .expected = "e", .advice = "a"}};
  const Failure back = again(failure);
  EXPECT_EQ(back.kind, failure.kind);
  EXPECT_EQ(back.detail.where, failure.detail.where);
  EXPECT_EQ(back.detail.advice, "a");
}

TEST(Messages, RefuseWhatIsDamaged) {
  for (const char *text : {"", "{", "[]", "{\"request\":5}", "{\"open\":{\"places\":{\"drives\":[[300,\"/c\"]]}}}",
                           "{\"request\":{\"mode\":17}}", "{\"request\":{\"mode\":-1}}", "{\"more\":1}",
                           "{\"request\":{\"threads\":1e3}}"})
    EXPECT_THROW((void)exact::read<FillQuestion>(text), Error) << text;
  EXPECT_THROW((void)exact::read<std::string>("{\"bytes\":\"0g\"}"), Error);
}

}  // namespace
}  // namespace ferry::migration
