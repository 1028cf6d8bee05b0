#pragma once

#include <gtest/gtest.h>

#include <string>

#include "reports/capacity/sheet.hpp"

// For tests only: a shipped sheet to start from.
namespace wavetank::capacity {

inline std::string sheets_folder() { return WAVETANK_SOURCE_DIR "/reports/sheets"; }

inline Sheet shipped_sheet(const std::string& name = "region") {
  auto sheet = load_sheet(sheets_folder() + "/" + name + ".txtpb");
  EXPECT_TRUE(sheet) << sheet.error();
  return sheet ? *sheet : Sheet{};
}

inline void set_number(Sheet& sheet, const std::string& path, double value) {
  Number* number = find_number(sheet, path);
  ASSERT_NE(number, nullptr) << path;
  number->set_value(value);
}

}  // namespace wavetank::capacity
