#include "service/configuration.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace service = causeway::service;
using service::assignment;
using service::assignments;
using texts = std::vector<std::string>;

const char* take_anything(const std::string&) { return nullptr; }

// One of each kind: at once, at a restart, repeatable, without a default.
const std::vector<service::option> options{
    {.name = "pace", .value_name = "N", .by_default = "1", .meaning = "", .take = take_anything, .at_once = true},
    {.name = "place", .value_name = "N", .by_default = "2", .meaning = "", .take = take_anything},
    {.name = "peer", .value_name = "N", .by_default = "", .meaning = "", .take = take_anything, .repeatable = true},
    {.name = "path", .value_name = "N", .by_default = "", .meaning = "", .take = take_anything, .at_once = true}};

assignments read(const std::string& text, std::size_t expected_errors = 0)
{
    std::istringstream stream(text);
    texts errors;
    auto given = service::read_file(stream, "f", errors);
    BOOST_TEST(errors.size() == expected_errors, "of '" << text << "'");
    return given;
}

service::transition from_default_to(const assignments& wanted)
{
    const std::vector<assignments> nothing;
    const std::vector<assignments> one{wanted};
    return service::change(in_force(nothing, options), in_force(one, options), options);
}

} // namespace

BOOST_AUTO_TEST_SUITE(configuration)

BOOST_AUTO_TEST_CASE(a_line_of_a_file_is_a_name_and_a_value_with_any_space_around)
{
    const assignments expected{{"a", "b", "f:1"}};
    for (const auto* text : {"a=b", "a = b\n", "  a\t=\tb  \n", "a = b\r\n", "a=b#c", "a = b # c", "a=b\t#\n"}) {
        const bool has_number_sign = std::string(text) == "a=b#c";
        BOOST_TEST((read(text) == (has_number_sign ? assignments{{"a", "b#c", "f:1"}} : expected)), text);
    }
    BOOST_TEST((read("a = b = c") == assignments{{"a", "b = c", "f:1"}}));
    BOOST_TEST((read("a =") == assignments{{"a", "", "f:1"}}));
}

BOOST_AUTO_TEST_CASE(a_byte_order_mark_is_skipped)
{
    BOOST_TEST((read("\xEF\xBB\xBF"
                     "a = b") == assignments{{"a", "b", "f:1"}}));
}

BOOST_AUTO_TEST_CASE(empty_lines_and_comments_count_as_lines)
{
    const auto given = read("# a = b\n\n   \n  # c\nd = e\n\nf = g");

    BOOST_TEST((given == assignments{{"d", "e", "f:5"}, {"f", "g", "f:7"}}));
}

BOOST_AUTO_TEST_CASE(a_line_of_another_form_is_an_error_that_names_it_and_the_others_are_read)
{
    std::istringstream stream("a = b\n[section]\nc = d\n");
    texts errors;

    const auto given = service::read_file(stream, "f", errors);

    BOOST_TEST((given == assignments{{"a", "b", "f:1"}, {"c", "d", "f:3"}}));
    BOOST_TEST_REQUIRE(errors.size() == 1U);
    BOOST_TEST(errors.front().starts_with("f:2: '[section]': "), errors.front());
}

BOOST_AUTO_TEST_CASE(of_each_option_the_first_source_that_gives_it_counts_and_otherwise_its_default)
{
    const std::vector<assignments> sources{{{"peer", "a", "1"}, {"peer", "b", "1"}},
                                           {{"peer", "c", "2"}, {"pace", "d", "2"}}};

    const auto all = in_force(sources, options);

    BOOST_TEST(
        (all == assignments{{"pace", "d", "2"}, {"place", "2", "default"}, {"peer", "a", "1"}, {"peer", "b", "1"}}));
}

BOOST_AUTO_TEST_CASE(a_change_is_applied_or_left_to_a_restart_and_told)
{
    const auto next = from_default_to({{"pace", "3", "x"}, {"place", "4", "x"}});

    BOOST_TEST((next.in_force == assignments{{"pace", "3", "x"}, {"place", "2", "default"}}));
    BOOST_TEST((next.applied == texts{"pace = 3 applied; it was 1"}));
    BOOST_TEST((next.need_restart == texts{"place = 4 needs a restart; until then it is 2"}));
}

BOOST_AUTO_TEST_CASE(an_option_that_goes_with_another_waits_for_a_restart_with_it_and_otherwise_does_not)
{
    auto grouped = options;
    grouped.back().goes_with = "place";
    const auto change_to = [&](const assignments& wanted) {
        return service::change({{"place", "2", "x"}, {"path", "a", "x"}}, wanted, grouped);
    };

    const auto both = change_to({{"place", "4", "x"}, {"path", "b", "x"}});
    BOOST_TEST((both.in_force == assignments{{"place", "2", "x"}, {"path", "a", "x"}}));
    BOOST_TEST(both.applied.empty());
    BOOST_TEST((both.need_restart == texts{"place = 4 needs a restart; until then it is 2",
                                           "path = b needs a restart, like place; until then it is a"}));

    const auto one = change_to({{"place", "2", "x"}, {"path", "b", "x"}});
    BOOST_TEST((one.in_force == assignments{{"place", "2", "x"}, {"path", "b", "x"}}));
    BOOST_TEST((one.applied == texts{"path = b applied; it was a"}));
    BOOST_TEST(one.need_restart.empty());
}

BOOST_AUTO_TEST_CASE(several_values_change_together)
{
    const auto next = from_default_to({{"peer", "a", "x"}, {"peer", "b", "x"}, {"path", "c", "x"}});

    BOOST_TEST((next.in_force == assignments{{"pace", "1", "default"}, {"place", "2", "default"}, {"path", "c", "x"}}));
    BOOST_TEST((next.applied == texts{"path = c applied; it was nothing"}));
    BOOST_TEST((next.need_restart == texts{"peer = a, b needs a restart; until then it is nothing"}));
}

BOOST_AUTO_TEST_CASE(the_same_value_from_elsewhere_is_no_change)
{
    const auto next = from_default_to({{"pace", "1", "x"}, {"place", "2", "x"}});

    BOOST_TEST((next.in_force == assignments{{"pace", "1", "x"}, {"place", "2", "x"}}));
    BOOST_TEST(next.applied.empty());
    BOOST_TEST(next.need_restart.empty());
}

BOOST_AUTO_TEST_SUITE_END()
