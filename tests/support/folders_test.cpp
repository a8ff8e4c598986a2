// SPDX-License-Identifier: Apache-2.0
#include "support/folders.hpp"

#include <cstdlib>
#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

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
