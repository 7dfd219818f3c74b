// The built-in dialect files: those in dialects/, which the build turns into a source file.
#pragma once

#include <span>
#include <string_view>

namespace causeway::iso8583 {

struct dialect_file {
    std::string_view name;
    std::string_view text;
};

/// All of them, in alphabetical order.
std::span<const dialect_file> built_in_dialect_files() noexcept;

} // namespace causeway::iso8583
