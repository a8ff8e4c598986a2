// SPDX-License-Identifier: Apache-2.0
#include "importers/vmx/dictionary.hpp"

#include "tests/vmx/support.hpp"

namespace ferry::vmx::test {
namespace {

std::string value_of(const Dictionary &dictionary, std::string_view key) {
  for (const Setting &setting : dictionary.settings) {
    if (setting.key == key) return setting.value;
  }
  return "(absent)";
}

std::string one(std::string_view text) { return value_of(parse_dictionary(text, "m.vmx"), "k"); }

TEST(Dictionary, ReadsQuotedAndBareValues) {
  EXPECT_EQ(one("k = \"v\""), "v");
  EXPECT_EQ(one("k=v"), "v");
  EXPECT_EQ(one("\t k \t=  \"a b\"  "), "a b");
  EXPECT_EQ(one("k = \"\""), "");
  EXPECT_EQ(one("k ="), "");
  EXPECT_EQ(one("k = v # comment"), "v");
  EXPECT_EQ(one("k = \"a # b\" # comment"), "a # b");
}

TEST(Dictionary, CarriageReturnsAndByteOrderMarkAreNoPartOfAnything) {
  const Dictionary read = parse_dictionary("\xEF\xBB\xBFk = \"v\"\r\n#x\r\nl = w\r\n", "m.vmx");
  EXPECT_EQ(value_of(read, "k"), "v");
  EXPECT_EQ(value_of(read, "l"), "w");
  EXPECT_EQ(read.settings.at(1).line, 3U);
  EXPECT_TRUE(read.oddities.empty());
}

TEST(Dictionary, UndoesEscapes) {
  EXPECT_EQ(one("k = \"|22a|7C|0a|\""), "\"a|\n|");
  EXPECT_EQ(one("k = \"|G0 |2\""), "|G0 |2");
  EXPECT_EQ(one("k = \"a|00b\""), "ab");
}

TEST(Dictionary, EscapedBytesAreInTheFilesEncoding) {
  EXPECT_EQ(one(".encoding = \"windows-1252\"\nk = \"|E9 \xE9\""), "é é");
  EXPECT_EQ(one("k = \"|C3|A9\""), "é");
}

TEST(Dictionary, ReadsTheDeclaredEncoding) {
  EXPECT_EQ(one(".encoding = \"windows-1252\"\nk = \"\x80\""), "€");
  EXPECT_EQ(one(".encoding = \"Shift_JIS\"\nk = \"C:\\\x95\x5C\""), "C:\\表");
  EXPECT_EQ(one(".encoding = \"GBK\"\nk = \"\xB9\xB2\xCF\xED\""), "共享");
  EXPECT_EQ(one(".encoding = \"windows-949\"\nk = \"\xC7\xD1\""), "한");
  EXPECT_EQ(one(".encoding = \"Big5\"\nk = \"\xA4\xA4\""), "中");
  EXPECT_EQ(one("encoding = \"windows-1252\"\nk = \"\xE9\""), "é");
}

TEST(Dictionary, AWrongDeclarationGivesWayToUtf8) {
  EXPECT_EQ(one(".encoding = \"windows-1252\"\nk = \"共\""), "共");
  EXPECT_EQ(one(".encoding = \"Shift_JIS\"\nk = \"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""), "é€😀");
  EXPECT_EQ(one(".encoding = \"no-such-encoding\"\nk = \"é\""), "é");
}

TEST(Dictionary, WithoutADeclarationItIsUtf8ElseWindows1252) {
  EXPECT_EQ(one("k = \"é\""), "é");
  const Dictionary read = parse_dictionary("k = \"\xE9\"", "m.vmx");
  EXPECT_EQ(value_of(read, "k"), "é");
  EXPECT_EQ(read.encoding, "windows-1252");
}

TEST(Dictionary, EncodingsMayCarryTheEditionOfTheirTable) {
  const Dictionary korean = parse_dictionary(".encoding = \"windows-949-2000\"\nk = \"\xB0\xA1\"\n", "m.vmx");
  EXPECT_EQ(value_of(korean, "k"), "가");
  const Dictionary japanese = parse_dictionary(".encoding = \"ibm-943_P15A-2003\"\nk = \"\x83\x41\"\n", "m.vmx");
  EXPECT_EQ(value_of(japanese, "k"), "ア");
  const Dictionary western = parse_dictionary(".encoding = \"ibm-5348_P100-1997\"\nk = \"\x80\"\n", "m.vmx");
  EXPECT_EQ(value_of(western, "k"), "€");
}

TEST(Dictionary, AnUnknownEncodingWithBytesThatAreNoUtf8IsRefused) {
  try {
    static_cast<void>(parse_dictionary(".encoding = \"klingon-8\"\nk = \"\xE9\"", "m.vmx"));
    FAIL() << "was read";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::malformed);
    EXPECT_EQ(error.detail().found, "\"klingon-8\"");
  }
}

TEST(Dictionary, OneBrokenValueDoesNotSpoilTheFile) {
  const Dictionary read = parse_dictionary(".encoding = \"UTF-8\"\nk = \"a\xE5\xA4?\nl = \"é\"\n", "m.vmx");
  EXPECT_EQ(value_of(read, "l"), "é");
  ASSERT_EQ(read.oddities.size(), 2U);
  EXPECT_EQ(read.oddities.at(0).kind, Oddity::Kind::undecodable_value);
  EXPECT_EQ(read.oddities.at(1).kind, Oddity::Kind::unterminated_quote);
  EXPECT_EQ(read.oddities.at(1).line, 2U);
}

TEST(Dictionary, ProseIsNoSetting) {
  const Dictionary read = parse_dictionary("#!/usr/bin/vmware\nk = \"v\"\nThis is it.\nover = that \"x\"\n", "m.vmx");
  EXPECT_EQ(read.settings.size(), 2U);
  ASSERT_EQ(read.oddities.size(), 1U);
  EXPECT_EQ(read.oddities.at(0).text, "This is it.");
}

TEST(Dictionary, ABinaryFileIsRefused) {
  EXPECT_THROW(static_cast<void>(parse_dictionary(std::string("k = \"v\0\"", 8), "m.vmx")), Error);
}

TEST(Dictionary, TooManySettingsAreRefused) {
  std::string text;
  for (int i = 0; i < 20'001; ++i) text += "k = v\n";
  EXPECT_THROW(static_cast<void>(parse_dictionary(text, "m.vmx")), Error);
}

TEST(Dictionary, AHugeFileIsRefusedBeforeItIsRead) {
  const Folder folder;
  const auto file = folder.write("m.vmx", "");
  std::filesystem::resize_file(file, 1ULL << 40U);
  try {
    static_cast<void>(read_text_file(file, kDictionaryLimit));
    FAIL() << "was read";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::malformed);
    EXPECT_EQ(error.detail().expected, "at most 4.0 MiB");
  }
}

TEST(Dictionary, WhatIsNoRegularFileIsRefused) {
  const Folder folder;
  EXPECT_THROW(static_cast<void>(read_text_file(folder.path(), 1)), Error);
  try {
    static_cast<void>(read_text_file(folder.path() / "none.vmx", 1));
    FAIL() << "was read";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::missing);
  }
}

TEST(Dictionary, TruthValues) {
  for (const char *yes : {"TRUE", "true", "1", "yes", "On"}) EXPECT_EQ(parse_boolean(yes), true) << yes;
  for (const char *no : {"FALSE", "0", "no", "off"}) EXPECT_EQ(parse_boolean(no), false) << no;
  EXPECT_FALSE(parse_boolean("perhaps"));
}

// People put lines out of action; VMware passes over what is no key.
TEST(Dictionary, ALineOutOfActionIsNoSetting) {
  const Dictionary dictionary =
      parse_dictionary(";scsi0:1.present = \"TRUE\"\n//a = \"1\"\n.encoding = \"UTF-8\"\n", "m.vmx");
  ASSERT_EQ(dictionary.settings.size(), 1U);
  EXPECT_EQ(dictionary.settings[0].key, ".encoding");
  EXPECT_EQ(dictionary.oddities.size(), 2U);
}

// VMware ends each line with a newline and each value with a quote.
TEST(Dictionary, AFileThatBreaksOffIsTold) {
  const std::string whole =
      ".encoding = \"UTF-8\"\r\nconfig.version = \"8\"\r\n# note\r\n\r\nscsi0:0.fileName = \"web server.vmdk\"\r\n"
      "ethernet0.addressType = \"generated\"";
  const auto message = [](const std::string &bytes) {
    try {
      refuse_damage(bytes, "m.vmx");
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::malformed);
      EXPECT_NE(error.detail().advice.find("vmware.log"), std::string::npos);
      return error.detail().message + " " + std::to_string(*error.detail().where.line);
    }
    return std::string();
  };
  const std::size_t last = whole.rfind('\n') + 1;
  for (std::size_t end = last + 1; end < whole.size(); ++end)
    EXPECT_EQ(message(whole.substr(0, end)), "the file is cut off 6") << whole.substr(last, end - last);
  EXPECT_EQ(message(whole), "") << "only the newline is missing, as editors leave it";
  EXPECT_EQ(message(whole.substr(0, last)), "");
  EXPECT_EQ(message("\xEF\xBB\xBF" + whole.substr(0, last + 5)), "the file is cut off 6");
  EXPECT_EQ(message(""), "");
  EXPECT_EQ(message(whole + "\r\nscsi0.pres\x09\x05nt = \"TRUE\"\r\n"), "the file is damaged 7");
}

// VMware takes what people write: values without quotes, prose at the end.
TEST(Dictionary, WhatPeopleWriteIsNotDamaged) {
  for (const char *bytes :
       {"config.version = 8\nfloppy0.fileName =", "a = \"b\"\nc = d\nTHE", "a = \"b\"\nNEW INFORMATION.",
        "a = \"b\"\n#c", "a = \"b\"\nk = \"v\" # no newline", "a = \"x\x1b[m\"\n", "\xFF\xFE"}) {
    EXPECT_NO_THROW(refuse_damage(bytes, "m.vmx")) << bytes;
  }
}

}  // namespace
}  // namespace ferry::vmx::test
