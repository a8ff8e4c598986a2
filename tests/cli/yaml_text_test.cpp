// SPDX-License-Identifier: Apache-2.0
// What inspect prints is YAML, and says what the JSON says.
#include "cli/yaml_text.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

namespace ferry::cli {
namespace {

// What a reader makes of a node: text where it is quoted or cannot be anything else.
Json read_back(const YAML::Node &node) {
  if (node.IsSequence()) {
    Json out = Json::array();
    for (const auto &one : node) out.push_back(read_back(one));
    return out;
  }
  if (node.IsMap()) {
    Json out = Json::object();
    for (const auto &one : node) out[one.first.as<std::string>()] = read_back(one.second);
    return out;
  }
  if (node.IsNull()) return nullptr;
  if (node.Tag() == "!") return node.Scalar();  // quoted
  bool truth = false;
  if (YAML::convert<bool>::decode(node, truth)) return truth;
  std::int64_t number = 0;
  if (YAML::convert<std::int64_t>::decode(node, number)) return number;
  double real = 0;
  if (YAML::convert<double>::decode(node, real)) return real;
  return node.Scalar();
}

TEST(YamlText, ReadsBackAsWhatItWas) {
  Json values = Json::array();
  for (const char *text : {"",
                           " ",
                           "true",
                           "No",
                           "on",
                           "y",
                           "null",
                           "~",
                           "1",
                           "0x10",
                           "1e3",
                           "-",
                           "- a",
                           "a: b",
                           "a #b",
                           "#b",
                           "C:\\x",
                           "é",
                           "'",
                           "\"",
                           "{a}",
                           "[a]",
                           "*a",
                           "&a",
                           "!a",
                           "%a",
                           "@a",
                           "`a",
                           "|",
                           ">",
                           "2024-01-01",
                           "12:30:45",
                           ".inf",
                           "<<",
                           "=",
                           "a b",
                           "a,b",
                           "debian-12",
                           "/vms/web.vdi",
                           "08:00:27:a1:b2:c3",
                           "pc-i440fx-7.2",
                           "?",
                           "---",
                           "..."})
    values.push_back(text);
  const Json json{{"name", "web"},
                  {"bool", false},
                  {"big", 1099511627776},
                  {"none", nullptr},
                  {"empty list", Json::array()},
                  {"empty", Json::object()},
                  {"values", values},
                  {"nested", Json{{"list", Json::array({Json::array({1, 2}), Json{{"a", Json::array()}}})}}}};
  const std::string yaml = as_yaml(Json::array({json}));
  EXPECT_EQ(read_back(YAML::Load(yaml)), json) << yaml;
}

TEST(YamlText, OriginsAndDatesAreComments) {
  const Json json{{"firmware", Json{{"origin", Json{{"file", "/a"}, {"line", 15}}}, {"type", "bios"}}},
                  {"drives", Json::array({Json{{"origin", Json{{"line", 39}}}, {"port", 0}}})},
                  {"created", 1700000000}};
  const std::string yaml = as_yaml(Json::array({json, json}));
  EXPECT_NE(yaml.find("# line 15"), std::string::npos) << yaml;
  EXPECT_NE(yaml.find("# line 39"), std::string::npos) << yaml;
  EXPECT_NE(yaml.find("created: 1700000000  # 2023-11-14 22:13:20 UTC"), std::string::npos) << yaml;
  EXPECT_EQ(yaml.find("origin"), std::string::npos);
  const auto documents = YAML::LoadAll(yaml);
  ASSERT_EQ(documents.size(), 2U);
  EXPECT_EQ(read_back(documents[1]), (Json{{"firmware", Json{{"type", "bios"}}},
                                           {"drives", Json::array({Json{{"port", 0}}})},
                                           {"created", 1700000000}}));
}

}  // namespace
}  // namespace ferry::cli
