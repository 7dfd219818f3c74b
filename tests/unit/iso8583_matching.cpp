#include "protocols/iso8583/matching.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace {

namespace iso = causeway::iso8583;
using iso::element;
using iso::key_fields;
using iso::message;

const element time_of_day{7, "1124163000", {}};
const element trace{11, "000042", {}};
const element terminal{41, "TERM0001", {}};

message with(std::string_view mti, std::vector<element> elements = {time_of_day, trace})
{
    return {.mti = std::string(mti), .elements = std::move(elements)};
}

bool matches(const message& request, const message& reply, std::string_view fields = "7,11")
{
    return iso::key_for(request, key_fields(fields)).value() == iso::key_of(reply, key_fields(fields));
}

// The field that the problem with `request` names.
std::string problem_with(const message& request, std::string_view fields = "7,11")
{
    const auto key = iso::key_for(request, key_fields(fields));
    return key ? "" : key.error().field;
}

void check_refused(std::string_view list, std::string_view part_of_reason)
{
    const auto says_so = [&](const std::invalid_argument& error) {
        return std::string_view(error.what()).find(part_of_reason) != std::string_view::npos;
    };
    BOOST_CHECK_EXCEPTION(key_fields{list}, std::invalid_argument, says_so);
}

} // namespace

BOOST_AUTO_TEST_SUITE(iso8583_matching)

BOOST_AUTO_TEST_CASE(each_request_has_its_response)
{
    for (const auto& [request, response] : {std::pair("0100", "0110"),
                                            {"0120", "0130"},
                                            {"0200", "0210"},
                                            {"0220", "0230"},
                                            {"0400", "0410"},
                                            {"0420", "0430"},
                                            {"0800", "0810"},
                                            {"1200", "1210"},
                                            {"1420", "1430"},
                                            {"2800", "2810"}})
        BOOST_TEST(matches(with(request), with(response)), request);
}

BOOST_AUTO_TEST_CASE(a_repeat_has_the_response_of_the_original_whatever_the_last_digit_of_that)
{
    BOOST_TEST(matches(with("0201"), with("0210")));
    BOOST_TEST(matches(with("0201"), with("0211")));
    BOOST_TEST(matches(with("0421"), with("0430")));
    BOOST_TEST(matches(with("0202"), with("0212")));
}

BOOST_AUTO_TEST_CASE(a_message_of_another_kind_is_no_reply)
{
    for (const auto* other : {"0200", "0201", "0220", "0230", "0110", "0410", "1210", "9200", "9210", "0240", "", "02"})
        BOOST_TEST(!matches(with("0200"), with(other)), other);
    BOOST_TEST(!matches(with("0420"), with("0410")));
}

BOOST_AUTO_TEST_CASE(a_negative_acknowledgement_is_the_reply_to_a_request)
{
    BOOST_TEST(matches(with("0200"), with("0290")));
    BOOST_TEST(!matches(with("0220"), with("0290")));
    BOOST_TEST(!matches(with("0100"), with("0290")));
}

BOOST_AUTO_TEST_CASE(each_field_of_the_key_counts)
{
    const auto request = with("0200");

    BOOST_TEST(!matches(request, with("0210", {{7, "1124163001", {}}, trace})));
    BOOST_TEST(!matches(request, with("0210", {time_of_day, {11, "000043", {}}})));
    BOOST_TEST(!matches(request, with("0210", {time_of_day})));
    BOOST_TEST(!matches(request, with("0210", {time_of_day, {11, "", {}}})));
    BOOST_TEST(!matches(request, with("0210", {time_of_day, {11, "", {{1, "000042", {}}}}})));
}

BOOST_AUTO_TEST_CASE(a_reply_without_terminal_matches_a_request_that_has_one)
{
    const auto request = with("0200", {time_of_day, trace, terminal});
    const auto reply = with("0210");

    BOOST_TEST(matches(request, reply));
    BOOST_TEST(iso::are_of_one_terminal(request, reply));
    BOOST_TEST(iso::are_of_one_terminal(reply, request));
}

BOOST_AUTO_TEST_CASE(where_both_have_a_terminal_it_must_be_the_same)
{
    const auto request = with("0200", {time_of_day, trace, {41, "T1", {}}});

    BOOST_TEST(iso::are_of_one_terminal(request, with("0210", {time_of_day, trace, {41, "T1      ", {}}})));
    BOOST_TEST(!iso::are_of_one_terminal(request, with("0210", {time_of_day, trace, {41, "T2", {}}})));
    BOOST_TEST(!iso::are_of_one_terminal(request, with("0210", {time_of_day, trace, {41, "T11", {}}})));
}

BOOST_AUTO_TEST_CASE(a_terminal_in_the_key_counts)
{
    const auto request = with("0200", {time_of_day, trace, terminal});

    BOOST_TEST(matches(request, with("0210", {time_of_day, trace, terminal}), "7,11,41"));
    BOOST_TEST(!matches(request, with("0210"), "7,11,41"));
    BOOST_TEST(!matches(request, with("0210", {time_of_day, trace, {41, "TERM0002", {}}}), "7,11,41"));
}

BOOST_AUTO_TEST_CASE(what_fills_a_value_up_does_not_count)
{
    BOOST_TEST(matches(with("0200", {time_of_day, {11, "42", {}}}), with("0210")));
    BOOST_TEST(matches(with("0200"), with("0210", {time_of_day, {11, "42", {}}})));
    BOOST_TEST(matches(with("0200", {trace, {3, "1000", {}}}), with("0210", {trace, {3, "001000", {}}}), "3,11"));
    BOOST_TEST(matches(with("0200", {{7, "124163000", {}}, trace}), with("0210", {{7, "0124163000", {}}, trace})));
    BOOST_TEST(matches(with("0200", {{37, "A1", {}}}), with("0210", {{37, "A1          ", {}}}), "37"));
    BOOST_TEST(matches(with("0200", {trace, {41, "T1", {}}}), with("0210", {trace, {41, "T1      ", {}}}), "11,41"));
}

BOOST_AUTO_TEST_CASE(a_text_is_not_filled_up_with_digits)
{
    BOOST_TEST(!matches(with("0200", {{37, "1", {}}}), with("0210", {{37, "000000000001", {}}}), "37"));
    BOOST_TEST(!matches(with("0200", {trace, {41, "1", {}}}), with("0210", {trace, {41, "00000001", {}}}), "11,41"));
}

BOOST_AUTO_TEST_CASE(no_two_different_lists_of_values_have_one_key)
{
    const auto request = with("0200", {{37, "A", {}}, {41, "BC", {}}});

    BOOST_TEST(!matches(request, with("0210", {{37, "AB", {}}, {41, "C", {}}}), "37,41"));
}

BOOST_AUTO_TEST_CASE(a_message_that_asks_for_no_reply_is_no_question)
{
    for (const auto* mti : {"0210", "0230", "0240", "0290", "020", "02000", "02x0", "x200", ""})
        BOOST_TEST(problem_with(with(mti)) == "mti", mti);
}

BOOST_AUTO_TEST_CASE(a_question_needs_each_field_of_the_key)
{
    BOOST_TEST(problem_with(with("0200", {time_of_day})) == "11");
    BOOST_TEST(problem_with(with("0200", {trace})) == "7");
    BOOST_TEST(problem_with(with("0200", {time_of_day, {11, "", {}}})) == "11");
    BOOST_TEST(problem_with(with("0200", {trace, {41, "        ", {}}}), "11,41") == "41");
    BOOST_TEST(problem_with(with("0200", {trace, {41, "TERM00012", {}}}), "11,41") == "41");
    BOOST_TEST(problem_with(with("0200", {trace}), "11") == "");
}

BOOST_AUTO_TEST_CASE(the_bridges_own_numbers_are_not_for_the_network_management_messages_of_clients)
{
    const std::vector<element> own{time_of_day, {11, "999000", {}}};

    BOOST_TEST(problem_with(with("0800", own)) == "11");
    BOOST_TEST(problem_with(with("0800", {time_of_day, {11, "998999", {}}})) == "");
    BOOST_TEST(problem_with(with("0200", own)) == "");
}

BOOST_AUTO_TEST_CASE(a_list_of_fields_is_checked)
{
    check_refused("", "'' cannot be in a key");
    check_refused("7,2", "'2' cannot be in a key: use some of 3, 7, 11, 37 and 41");
    check_refused("7, 11", "' 11' cannot be in a key");
    check_refused("7,11,", "a field is missing after the last comma");
    check_refused("11,7,11", "11 is in the key twice");
    check_refused("7,37,41", "30 characters of at most 28");
    check_refused("7,11,37,41", "36 characters of at most 28");
}

BOOST_AUTO_TEST_CASE(what_is_likely_to_be_chosen_fits_into_a_key)
{
    for (const auto* list : {"11", "7,11", "11,41", "11,37", "7,11,37", "7,11,41", "11,37,41"})
        BOOST_CHECK_NO_THROW(key_fields{list});
}

BOOST_AUTO_TEST_SUITE_END()
