#include "admin/process.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

namespace admin = causeway::admin;

// A line of a real process, except for its name.
std::string stat_of(const std::string& name)
{
    return "4711 (" + name +
           ") S 1 4711 4711 0 -1 4194560 2077 0 11 0 300 45 0 0 20 0 3 0 1234567 86618112 1979 "
           "18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
}

} // namespace

BOOST_AUTO_TEST_SUITE(process_figures)

BOOST_AUTO_TEST_CASE(times_and_sizes_are_read_whatever_the_program_is_called)
{
    for (const auto* name : {"causeway", "a b", ") S 1 2 3", "("}) {
        const auto stat = admin::parse_process_stat(stat_of(name));
        BOOST_TEST_REQUIRE(stat.has_value());
        BOOST_TEST(stat->cpu_ticks == 345U);
        BOOST_TEST(stat->start_ticks == 1234567U);
        BOOST_TEST(stat->virtual_bytes == 86618112U);
        BOOST_TEST(stat->resident_pages == 1979U);
    }
}

BOOST_AUTO_TEST_CASE(another_text_says_nothing)
{
    for (const auto* text :
         {"", "4711 (causeway", "4711 (causeway) S 1 2", "4711 (causeway) S a b c d e f g h i j k l m"})
        BOOST_TEST(!admin::parse_process_stat(text).has_value());
}

BOOST_AUTO_TEST_CASE(this_process_has_memory_files_and_an_age)
{
    const auto figures = admin::figures_of_this_process();
    BOOST_TEST(figures.resident_bytes > 1e6);
    BOOST_TEST(figures.virtual_bytes > figures.resident_bytes);
    BOOST_TEST(figures.open_files >= 3);
    BOOST_TEST(figures.most_files >= figures.open_files);
    BOOST_TEST(figures.start_time > 1.6e9);
    BOOST_TEST(figures.cpu_seconds >= 0);
}

BOOST_AUTO_TEST_SUITE_END()
