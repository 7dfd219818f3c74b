#include "backend/payment_desk.hpp"
#include "iso8583_kit.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <array>
#include <set>
#include <string>
#include <string_view>

namespace {

using namespace causeway::backend;
using namespace causeway::iso8583::test;
using namespace std::chrono_literals;
namespace iso = causeway::iso8583;

// A request with this amount and all fields that matter for the answer.
iso::message with_amount(std::string_view amount, std::string_view mti = "0200")
{
    return message_of(fmt::format(R"({{"mti":"{}","4":"{}","11":"000042"}})", mti, amount));
}

// Its answer as JSON, or nothing.
std::string answer_to(const iso::message& message)
{
    const auto decision = decide(message);
    return decision.answer ? json_of(*decision.answer) : "";
}

std::string answer_to(std::string_view json) { return answer_to(message_of(json)); }

std::string response_code_of(const iso::message& message)
{
    const auto answer = decide(message).answer;
    const auto* code = answer ? text_of(*answer, 39) : nullptr;
    return code == nullptr ? "" : *code;
}

} // namespace

BOOST_AUTO_TEST_SUITE(payment_desk)

BOOST_AUTO_TEST_CASE(a_purchase_is_approved_with_what_belongs_to_the_answer)
{
    const auto* const request = R"({"mti":"0200","2":"4000001234567899","3":"000000","4":"000000001000",
        "7":"1124164510","11":"000001","12":"174510","13":"1124","14":"2912","15":"1125","18":"5999","22":"051",
        "25":"00","28":"D00000010","32":"123456","33":"654321","35":"4000001234567899=2912","37":"REFERENCE001",
        "41":"TERM0001","42":"ACCEPTOR0000001","43":"SHOP","48":"PRIVATE","49":"978","52":"0123456789ABCDEF",
        "55":"9F26","59":"ECHO","100":"111","102":"ACCOUNT","127":{"2":"KEY"}})";
    BOOST_TEST(answer_to(request) ==
               R"({"mti":"0210","3":"000000","4":"000000001000","7":"1124164510","11":"000001","12":"174510",)"
               R"("13":"1124","15":"1125","28":"D00000010","32":"123456","33":"654321","37":"REFERENCE001",)"
               R"("38":"000001","39":"00","41":"TERM0001","42":"ACCEPTOR0000001","49":"978","59":"ECHO","100":"111"})");
    BOOST_TEST(decide(message_of(request)).after.count() == 0);
}

BOOST_AUTO_TEST_CASE(the_amount_decides)
{
    for (const std::string_view mti : {"0100", "0200", "0201"}) {
        for (const auto* amount : {"000000000000", "000000000067", "69", "000000000090", "92", "000000099999"}) {
            const auto decision = decide(with_amount(amount, mti));
            BOOST_TEST(response_code_of(with_amount(amount, mti)) == "00", mti << ' ' << amount);
            BOOST_TEST(decision.after.count() == 0, mti << ' ' << amount);
        }
        for (const auto* amount : {"000000100000", "999999999999", "99999999999999999999"})
            BOOST_TEST(response_code_of(with_amount(amount, mti)) == "51", mti << ' ' << amount);
        BOOST_TEST(response_code_of(with_amount("000000000068", mti)) == "00");
        BOOST_TEST((decide(with_amount("000000000068", mti)).after == 3s));
        BOOST_TEST(!decide(with_amount("000000000091", mti)).answer);
    }
}

BOOST_AUTO_TEST_CASE(a_decline_has_no_approval_code)
{
    BOOST_TEST(answer_to(with_amount("000000100000")) ==
               R"({"mti":"0210","4":"000000100000","11":"000042","39":"51"})");
}

BOOST_AUTO_TEST_CASE(a_request_without_an_amount_or_a_trace_number_is_approved)
{
    BOOST_TEST(answer_to(R"({"mti":"0100"})") == R"({"mti":"0110","39":"00"})");
}

BOOST_AUTO_TEST_CASE(what_has_been_done_is_approved_whatever_its_amount)
{
    for (const auto* amount : {"000000000001", "000000000068", "000000000091", "000000100000"})
        for (const auto* mti : {"0120", "0220", "0400", "0401", "0420", "0421"}) {
            const auto decision = decide(with_amount(amount, mti));
            BOOST_TEST(response_code_of(with_amount(amount, mti)) == "00", mti << ' ' << amount);
            BOOST_TEST(decision.after.count() == 0, mti << ' ' << amount);
        }
}

BOOST_AUTO_TEST_CASE(a_reversal_gets_back_what_it_reverses)
{
    BOOST_TEST(answer_to(R"({"mti":"0421","2":"4000001234567899","4":"000000000091","7":"1124164512","11":"000003",
        "39":"68","90":"020000000111241645100000000000000000000000"})") ==
               R"({"mti":"0430","4":"000000000091","7":"1124164512","11":"000003","39":"00",)"
               R"("90":"020000000111241645100000000000000000000000"})");
}

BOOST_AUTO_TEST_CASE(each_message_has_its_answer_and_a_repeat_that_of_its_original)
{
    for (const auto& [asked, answered] : {std::pair("0100", "0110"),
                                          {"0101", "0110"},
                                          {"0120", "0130"},
                                          {"0121", "0130"},
                                          {"0200", "0210"},
                                          {"0201", "0210"},
                                          {"0220", "0230"},
                                          {"0221", "0230"},
                                          {"0400", "0410"},
                                          {"0401", "0410"},
                                          {"0420", "0430"},
                                          {"0421", "0430"},
                                          {"0800", "0810"},
                                          {"0801", "0810"},
                                          {"1200", "1210"}})
        BOOST_TEST(decide(with_amount("1", asked)).answer.value().mti == answered);
}

BOOST_AUTO_TEST_CASE(sign_on_sign_off_and_echo_test_are_approved)
{
    for (const std::string about : {"001", "002", "301"})
        BOOST_TEST(answer_to(R"({"mti":"0800","7":"1124164510","11":"000001","70":")" + about + "\"}") ==
                   R"({"mti":"0810","7":"1124164510","11":"000001","39":"00","70":")" + about + "\"}");
}

BOOST_AUTO_TEST_CASE(what_it_cannot_do_it_says_so)
{
    for (const auto* json : {R"({"mti":"0800","70":"101","96":"0123456789ABCDEF"})", R"({"mti":"0800"})",
                             R"({"mti":"0302"})", R"({"mti":"0500"})", R"({"mti":"0520"})", R"({"mti":"0600"})"})
        BOOST_TEST(response_code_of(message_of(json)) == "40", json);
}

BOOST_AUTO_TEST_CASE(nothing_is_said_to_a_reply)
{
    for (const std::string mti : {"0110", "0210", "0211", "0230", "0410", "0430", "0810", "0290", "0140"})
        BOOST_TEST(answer_to(with_amount("1", mti)) == "", mti);
    BOOST_TEST(!decide({.mti = "0A00", .elements = {}}).answer);
    BOOST_TEST(!decide({.mti = "", .elements = {}}).answer);
}

BOOST_AUTO_TEST_CASE(nothing_of_a_card_is_in_an_answer)
{
    const std::set<unsigned> harmless{3,  4,  7,  11, 12, 13, 15, 28, 29, 30, 31, 32,
                                      33, 37, 38, 39, 41, 42, 49, 59, 70, 90, 100};
    iso::message message{.mti = "0200", .elements = {}};
    for (unsigned number = 2; number <= 128; ++number)
        if (number != 4)
            set_text(message, number, "7");
    for (const auto* mti : {"0100", "0120", "0200", "0220", "0400", "0420", "0600", "0800"}) {
        message.mti = mti;
        const auto decision = decide(message);
        for (const auto& element : decision.answer.value().elements)
            BOOST_TEST(harmless.contains(element.number), mti << ' ' << element.number);
    }
}

BOOST_AUTO_TEST_SUITE_END()
