#include "admin/process.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

#include <sys/resource.h>

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

BOOST_AUTO_TEST_CASE(this_process_has_memory_files_and_a_past)
{
    const auto figures = admin::figures_of_this_process();
    BOOST_TEST(figures.resident_bytes.value() > 1e6);
    BOOST_TEST(figures.virtual_bytes.value() > figures.resident_bytes.value());
    BOOST_TEST(figures.open_files.value() >= 3);
    BOOST_TEST(figures.most_files.value() >= figures.open_files.value());
    BOOST_TEST(figures.cpu_seconds.value() >= 0);
}

BOOST_AUTO_TEST_CASE(at_the_limit_of_open_files_what_is_in_files_is_unknown)
{
    rlimit before{};
    BOOST_TEST_REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit none_more{1, before.rlim_max};
    BOOST_TEST_REQUIRE(setrlimit(RLIMIT_NOFILE, &none_more) == 0);
    const auto figures = admin::figures_of_this_process();
    setrlimit(RLIMIT_NOFILE, &before);

    BOOST_TEST(!figures.resident_bytes.has_value());
    BOOST_TEST(!figures.virtual_bytes.has_value());
    BOOST_TEST(!figures.cpu_seconds.has_value());
    BOOST_TEST(!figures.open_files.has_value());
    BOOST_TEST(figures.most_files.value() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
