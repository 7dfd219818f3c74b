// What an operator is told to do: each line of the levels warning and error is in docs/operations.md.
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path project = CAUSEWAY_PROJECT_DIR;

std::string text_of(const fs::path& file)
{
    std::ifstream input(file);
    BOOST_TEST_REQUIRE(input.good(), "cannot read " << file);
    return {std::istreambuf_iterator<char>(input), {}};
}

// The beginnings of the lines that a source file logs as warnings or errors, with … in place of what varies.
std::vector<std::string> beginnings_of_lines_in(const std::string& source)
{
    static const std::regex call(
        R"rx(spdlog::(?:warn\(|error\(|critical\(|log\([^;"]*level::(?:warn|err)\),)\s*"([^"]*))rx");
    static const std::regex differs(R"rx('?\{[^}]*\}'?)rx");
    static const std::regex rest(R"rx([,;].*| \(\{\} .*)rx");
    std::vector<std::string> beginnings;
    for (std::sregex_iterator match(source.begin(), source.end(), call), end; match != end; ++match)
        beginnings.push_back(std::regex_replace(std::regex_replace((*match)[1].str(), rest, ""), differs, "…"));
    return beginnings;
}

} // namespace

BOOST_AUTO_TEST_SUITE(log_lines)

BOOST_AUTO_TEST_CASE(each_warning_and_error_is_explained_to_operators)
{
    const auto manual = text_of(project / "docs/operations.md");
    std::size_t found = 0;
    for (const auto& file : fs::recursive_directory_iterator(project / "source"))
        if (file.path().extension() == ".cpp")
            for (const auto& beginning : beginnings_of_lines_in(text_of(file.path()))) {
                ++found;
                BOOST_TEST(manual.find(beginning) != std::string::npos, file.path() << ": '" << beginning << "'");
            }
    BOOST_TEST(found >= 15U);
}

BOOST_AUTO_TEST_SUITE_END()
