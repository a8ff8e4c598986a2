// SPDX-License-Identifier: Apache-2.0
// What counts as a machine in a folder.
#include "migration/source.hpp"

#include <gtest/gtest.h>

#include "tests/migration/scratch.hpp"

namespace ferry::migration {
namespace {

constexpr auto kVbox = "<VirtualBox xmlns=\"http://www.virtualbox.org/\" version=\"1.19-linux\"/>";

TEST(Source, settings_of_before_an_upgrade_are_no_machine_of_their_own) {
  const tests::Scratch scratch;
  const auto machine = scratch.write("web/web.vbox", kVbox);
  scratch.write("web/web-1.15-linux.vbox", kVbox);
  scratch.write("web/web-1.9-windows-2.vbox", kVbox);
  scratch.write("web/web.vbox-prev", kVbox);
  EXPECT_EQ(find_source((scratch.folder() / "web").string()).file, machine);
  EXPECT_EQ(find_sources_below(scratch.folder()).sources.size(), 1U);
}

TEST(Source, a_name_like_that_without_the_machine_beside_it_is_one) {
  const tests::Scratch scratch;
  scratch.write("web-1.15-linux.vbox", kVbox);
  EXPECT_EQ(find_sources_below(scratch.folder()).sources.size(), 1U);
}

TEST(Source, a_folder_that_is_not_there_is_told_as_such) {
  EXPECT_THROW((void)find_sources_below("/no/such/folder"), Error);
}

}  // namespace
}  // namespace ferry::migration
