// Which part of the source may use which: compares the table in docs/architecture.md with the includes.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path project = CAUSEWAY_PROJECT_DIR;

std::vector<std::string> lines_of(const fs::path& file)
{
    std::ifstream input(file);
    BOOST_TEST_REQUIRE(input.good(), "cannot read " << file);
    std::vector<std::string> lines;
    for (std::string line; std::getline(input, line);)
        lines.push_back(line);
    return lines;
}

// All `folder/` in a cell of the table.
std::set<std::string> folders_in(const std::string& cell)
{
    static const std::regex folder("`([a-z0-9_/]+)/`");
    std::set<std::string> folders;
    for (std::sregex_iterator match(cell.begin(), cell.end(), folder), end; match != end; ++match)
        folders.insert((*match)[1]);
    return folders;
}

// Folder → what it knows; a row is `| folder | what it is | knows |`.
std::map<std::string, std::set<std::string>> table_of_rooms()
{
    static const std::regex row(R"(\| (`[a-z0-9_/]+/`) \| [^|]* \| ([^|]*) \|)");
    std::map<std::string, std::set<std::string>> rooms;
    for (const auto& line : lines_of(project / "docs/architecture.md"))
        if (std::smatch cells; std::regex_match(line, cells, row))
            rooms[*folders_in(cells[1]).begin()] = folders_in(cells[2]);
    return rooms;
}

bool is_in(const std::string& file, const std::string& folder) { return file.starts_with(folder + '/'); }

} // namespace

BOOST_AUTO_TEST_SUITE(rooms)

BOOST_AUTO_TEST_CASE(each_room_includes_only_what_its_row_allows)
{
    static const std::regex include(R"rx(^\s*#\s*include\s*"(.+/.+)")rx");
    const auto rooms = table_of_rooms();
    BOOST_TEST_REQUIRE(rooms.size() >= 5U);
    std::size_t includes = 0;
    for (const auto& [room, known] : rooms)
        for (const auto& entry : fs::recursive_directory_iterator(project / "source" / room)) {
            if (!entry.is_regular_file())
                continue;
            for (const auto& line : lines_of(entry.path())) {
                std::smatch match;
                if (!std::regex_search(line, match, include))
                    continue;
                ++includes;
                const std::string included = match[1];
                const bool allowed =
                    is_in(included, room) ||
                    std::ranges::any_of(known, [&](const std::string& folder) { return is_in(included, folder); });
                BOOST_TEST(allowed, entry.path() << " includes " << included << ", which is not for " << room << "/");
            }
        }
    BOOST_TEST(includes > 50U);
}

BOOST_AUTO_TEST_CASE(each_file_is_in_a_room_that_has_a_row)
{
    const auto rooms = table_of_rooms();
    for (const auto& entry : fs::recursive_directory_iterator(project / "source")) {
        const auto file = entry.path().lexically_relative(project / "source").string();
        const bool is_above_all_rooms = file.find('/') == std::string::npos;
        if (!entry.is_regular_file() || is_above_all_rooms || is_in(file, "boost"))
            continue;
        BOOST_TEST(std::ranges::any_of(rooms, [&](const auto& room) { return is_in(file, room.first); }),
                   "docs/architecture.md has no row for the room of " << file);
    }
}

BOOST_AUTO_TEST_SUITE_END()
