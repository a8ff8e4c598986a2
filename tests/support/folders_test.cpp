// SPDX-License-Identifier: Apache-2.0
#include "support/folders.hpp"

#include <cstdlib>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/kit/folder.hpp"

namespace ferry::folders {
namespace {

// What the environment says, put back at the end.
class Folders : public testing::Test {
 protected:
  void TearDown() override {
    for (const auto &[name, value] : saved_) value ? setenv(name.c_str(), value->c_str(), 1) : unsetenv(name.c_str());
  }
  void set(const std::string &name, const char *value) {
    const char *old = std::getenv(name.c_str());
    saved_.emplace_back(name, old == nullptr ? std::nullopt : std::optional<std::string>(old));
    value == nullptr ? unsetenv(name.c_str()) : setenv(name.c_str(), value, 1);
  }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> saved_;
};

TEST_F(Folders, VariablesComeFirst) {
  set("XDG_CONFIG_HOME", "/c");
  set("XDG_DATA_HOME", "/d");
  set("XDG_STATE_HOME", "/s");
  set("XDG_RUNTIME_DIR", "/r");
  EXPECT_EQ(config_home(), "/c");
  EXPECT_EQ(data_home(), "/d");
  EXPECT_EQ(state_home(), "/s");
  EXPECT_EQ(runtime(), "/r");
}

TEST_F(Folders, ARelativeVariableIsAsGoodAsUnset) {
  set("HOME", "/home/me");
  set("XDG_CONFIG_HOME", "c");
  set("XDG_DATA_HOME", "");
  set("XDG_STATE_HOME", nullptr);
  set("XDG_RUNTIME_DIR", "r");
  EXPECT_EQ(config_home(), "/home/me/.config");
  EXPECT_EQ(data_home(), "/home/me/.local/share");
  EXPECT_EQ(state_home(), "/home/me/.local/state");
  EXPECT_FALSE(runtime());
}

TEST_F(Folders, RuntimeOfALoginIsFoundWhereNothingNamesIt) {
  const passwd *user = getpwuid(geteuid());
  if (user == nullptr) GTEST_SKIP() << "this user is not in the password database";
  const test::TempFolder all;
  const std::filesystem::path mine = all / std::to_string(geteuid());
  set("XDG_RUNTIME_DIR", nullptr);
  set("HOME", user->pw_dir);
  EXPECT_FALSE(runtime_of_login(all.path())) << "there is none";
  std::filesystem::create_directory(mine);
  ASSERT_EQ(chmod(mine.c_str(), 0755), 0);
  EXPECT_FALSE(runtime_of_login(all.path())) << "others may read it";
  ASSERT_EQ(chmod(mine.c_str(), 0700), 0);
  EXPECT_EQ(runtime_of_login(all.path()), mine);
  set("HOME", "/nowhere");
  EXPECT_FALSE(runtime_of_login(all.path())) << "a world apart";
  set("HOME", nullptr);
  EXPECT_EQ(runtime_of_login(all.path()), mine);
  set("XDG_RUNTIME_DIR", "/r");
  EXPECT_FALSE(runtime_of_login(all.path())) << "it is named";
}

TEST_F(Folders, WithoutHomeThePasswordDatabaseIsAsked) {
  const passwd *user = getpwuid(geteuid());
  if (user == nullptr) GTEST_SKIP() << "this user is not in the password database";
  for (const char *value : {static_cast<const char *>(nullptr), "", "relative"}) {
    set("HOME", value);
    EXPECT_EQ(home(), user->pw_dir);
  }
}

}  // namespace
}  // namespace ferry::folders
