// The files of the live page, which are compiled in.
#pragma once

#include <span>
#include <string_view>

namespace causeway::admin {

/// A file of `admin/page/`.
struct page_file {
    std::string_view path; ///< in a URL: `/` is index.html, others stand under `/live/`
    std::string_view text;
};

/// All of them. Static memory. Made by CMake.
std::span<const page_file> page_files();

} // namespace causeway::admin
