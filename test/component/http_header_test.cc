#include "http_header.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace websocket {
namespace {

using namespace std::string_view_literals;

std::vector<std::string> elementsOf(std::vector<HeaderView> headers, std::string_view name = "List") {
  std::vector<std::string> found;
  ListElements elements(headers, name);
  for (std::string_view element; elements.next(element);) found.emplace_back(element);
  return found;
}

TEST(HttpHeader, NamesCompareWithoutCaseInAsciiOnly) {
  EXPECT_TRUE(equalsIgnoreCase("", ""));
  EXPECT_TRUE(equalsIgnoreCase("Sec-WebSocket-Key", "sec-websocket-KEY"));
  EXPECT_FALSE(equalsIgnoreCase("upgrade", "upgrad"));
  EXPECT_FALSE(equalsIgnoreCase("upgrade", "upgraded"));
  EXPECT_FALSE(equalsIgnoreCase("@", "`")) << "these differ in the bit that case is";
  EXPECT_FALSE(equalsIgnoreCase("[", "{"));
  EXPECT_FALSE(equalsIgnoreCase("\xC4", "\xE4")) << "letters of Latin-1 are no letters here";
  EXPECT_FALSE(equalsIgnoreCase("a\0b"sv, "a\0c"sv));
}

TEST(HttpHeader, ATokenHoldsExactlyTheCharactersOfTheRfc) {
  constexpr std::string_view kAllowed = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (int value = 0; value < 256; ++value) {
    const char character = static_cast<char>(value);
    EXPECT_EQ(isToken({&character, 1}), kAllowed.find(character) != std::string_view::npos) << value;
  }
  EXPECT_TRUE(isToken("permessage-deflate"));
  EXPECT_TRUE(isToken("v1.chat~x"));
  EXPECT_FALSE(isToken(""));
  EXPECT_FALSE(isToken("a b"));
  EXPECT_FALSE(isToken("ab "));
}

TEST(HttpHeader, ControlCharactersAreFoundAnywhere) {
  for (int value = 0; value < 256; ++value) {
    const std::string text = std::string("ab") + static_cast<char>(value) + "c";
    EXPECT_EQ(hasControlCharacter(text), value < 0x20 || value == 0x7F) << value;
  }
  EXPECT_FALSE(hasControlCharacter(""));
}

TEST(HttpHeader, TrimTakesSpacesAndTabsFromBothEnds) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim("a"), "a");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim({}), "");
  EXPECT_EQ(trim("\ra"), "\ra");
}

TEST(HttpHeader, AnElementsNameEndsAtItsFirstParameter) {
  EXPECT_EQ(elementName("a"), "a");
  EXPECT_EQ(elementName("a ; x=\";\" ; y"), "a");
  EXPECT_EQ(elementName(" ;x"), "");
}

TEST(HttpHeader, AFieldIsCountedAndTheFirstValueGivenTrimmed) {
  const std::vector<HeaderView> headers = {{"Host", "h"}, {"KEY", " one "}, {"key", "two"}, {"Key2", "three"}};
  std::string_view value = "untouched";
  EXPECT_EQ(findField(headers, "none", value), 0U);
  EXPECT_EQ(value, "untouched");
  EXPECT_EQ(findField(headers, "Key", value), 2U);
  EXPECT_EQ(value, "one");
  EXPECT_EQ(findField({}, "Key", value), 0U);
}

TEST(HttpHeader, ListElementsAreSplitAtCommasOutsideQuotedStrings) {
  struct Case {
    std::string_view value;
    std::vector<std::string> elements;
  };
  const Case cases[] = {
      {"", {}},
      {" , ,\t,", {}},
      {"a", {"a"}},
      {"a,b", {"a", "b"}},
      {" keep-alive,  Upgrade ", {"keep-alive", "Upgrade"}},
      {",a,,b,", {"a", "b"}},
      {"a; x=\"1,2\", b", {"a; x=\"1,2\"", "b"}},
      {"a; x=\"\\\",\", b", {"a; x=\"\\\",\"", "b"}},
      {"a; x=\"\\\\\", b", {"a; x=\"\\\\\"", "b"}},
      {"a\\, b", {"a\\", "b"}},
      {"a; x=\"1, b", {"a; x=\"1, b"}},
      {"a; x=\"1\\", {"a; x=\"1\\"}},
  };
  for (const Case& item : cases) EXPECT_EQ(elementsOf({{"List", item.value}}), item.elements) << item.value;
}

TEST(HttpHeader, RepeatedFieldsMakeOneListInOrder) {
  const std::vector<std::string> expected = {"a", "b", "c"};
  EXPECT_EQ(elementsOf({{"list", "a"}, {"Other", "x"}, {"LIST", ""}, {"List", "b, c"}}), expected);
  EXPECT_TRUE(elementsOf({{"Other", "x"}}).empty());
}

TEST(HttpHeader, AnOpenQuotedStringEndsWithItsField) {
  const std::vector<std::string> expected = {"a; x=\"1", "b"};
  EXPECT_EQ(elementsOf({{"List", "a; x=\"1"}, {"List", "b"}}), expected);
}

TEST(HttpHeader, AListContainsATokenWithoutCaseAndAsAWhole) {
  const std::vector<HeaderView> headers = {{"Connection", "keep-alive"}, {"connection", "x, UPGRADE"}};
  EXPECT_TRUE(listContains(headers, "Connection", "upgrade"));
  EXPECT_FALSE(listContains(headers, "Connection", "keep"));
  EXPECT_FALSE(listContains(headers, "Upgrade", "upgrade"));
}

TEST(HttpHeader, HostileListsAreReadOnceFromEndToEnd) {
  // Each of these made an expression with backtracking take quadratic time. Reading them once takes milliseconds.
  for (const std::string_view piece : {"\""sv, "\\"sv, ","sv, " "sv, "a; x=\"\\\""sv, "\t,"sv}) {
    std::string value;
    while (value.size() < (1U << 22)) value += piece;
    std::size_t total = 0;
    const HeaderView header{"List", value};
    ListElements elements({&header, 1}, "List");
    for (std::string_view element; elements.next(element);) total += element.size();
    EXPECT_LE(total, value.size());
  }
}

}  // namespace
}  // namespace websocket
