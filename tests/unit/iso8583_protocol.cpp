#include "protocols/iso8583/protocol.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace {

namespace iso = causeway::iso8583;
namespace upstream = causeway::upstream;
namespace event = upstream::event;
using iso::element;
using iso::message;
using namespace std::chrono_literals;

const iso::settings settings{.dialect = iso::dialect::built_in("iso8583-1987-ascii")};

// 24 November, 16:30:00
std::chrono::system_clock::time_point at_half_past_four()
{
    return std::chrono::sys_days(std::chrono::November / 24 / 2026) + 16h + 30min;
}

const element now{7, "1124163000", {}};

std::string packed(const message& message) { return settings.dialect.pack(message).value(); }

std::string framed(const message& message)
{
    std::string wire;
    append_frame(packed(message), settings.framing, wire);
    return wire;
}

std::string in_six_digits(unsigned number)
{
    const auto digits = std::to_string(number);
    return std::string(6 - digits.size(), '0') + digits;
}

message own(unsigned trace, std::string_view about)
{
    return {"0800", {now, {11, in_six_digits(trace), {}}, {70, std::string(about), {}}}};
}

message answer_to_own(unsigned trace, std::string_view about, std::string_view response_code = "00")
{
    return {"0810",
            {now, {11, in_six_digits(trace), {}}, {39, std::string(response_code), {}}, {70, std::string(about), {}}}};
}

message purchase(std::string_view mti = "0210")
{
    return {std::string(mti), {now, {11, "000042", {}}, {39, "00", {}}}};
}

// A codec, and the events for what it was given.
class conversation {
public:
    explicit conversation(bool signs_on = false)
        : codec_(make(signs_on))
    {
    }

    upstream::codec& codec() { return *codec_; }

    // The events in `bytes`, in words.
    std::vector<std::string> hear(std::string_view bytes, std::size_t piece_size = 100'000)
    {
        std::vector<std::string> events;
        while (!bytes.empty()) {
            const auto space = codec_->space();
            const auto piece = bytes.substr(0, std::min(piece_size, space.size()));
            std::ranges::copy(piece, space.begin());
            codec_->received(piece.size());
            bytes.remove_prefix(piece.size());
            for (auto next = codec_->next(); !std::holds_alternative<event::incomplete>(next); next = codec_->next()) {
                events.push_back(std::visit([this](const auto& event) { return in_words(event); }, next));
                if (std::holds_alternative<event::broken>(next))
                    return events;
            }
        }
        return events;
    }

    std::vector<std::string> hear(const message& message) { return hear(framed(message)); }

    // Everything that a log could show of what was received.
    const std::string& shown() const { return shown_; }

private:
    static std::unique_ptr<upstream::codec> make(bool signs_on)
    {
        auto chosen = settings;
        chosen.signs_on = signs_on;
        return protocol(chosen, at_half_past_four).make_codec();
    }

    std::string in_words(const event::incomplete&) { return "incomplete"; }
    std::string in_words(const event::alive&) { return "alive"; }
    std::string in_words(const event::to_answer& event) { return "answer " + std::string(event.bytes); }

    std::string in_words(const event::message& event)
    {
        shown_.append(event.key.text()).append("\n");
        return "message " + std::string(event.key.text()) + ' ' + std::string(event.bytes);
    }

    std::string in_words(const event::unreadable& event)
    {
        shown_.append(event.shown).append("\n").append(event.expected).append("\n");
        return "unreadable, " + std::to_string(event.size) + " bytes";
    }

    std::string in_words(const event::broken& event)
    {
        shown_.append(event.reason).append("\n");
        return "broken: " + std::string(event.reason);
    }

    std::unique_ptr<upstream::codec> codec_;
    std::string shown_;
};

using events = std::vector<std::string>;

const std::string alive = "alive";

std::string message_event(std::string_view key, const message& message)
{
    return "message " + std::string(key) + ' ' + packed(message);
}

// One whose sign-on was accepted.
conversation signed_on()
{
    conversation conversation(true);
    conversation.codec().greeting();
    BOOST_TEST((conversation.hear(answer_to_own(999'000, "001")) == events{alive}));
    return conversation;
}

} // namespace

BOOST_AUTO_TEST_SUITE(iso8583_protocol)

BOOST_AUTO_TEST_CASE(its_facts_are_those_of_the_settings)
{
    auto chosen = settings;
    chosen.late_replies = 5s;
    chosen.echo_after = 7s;
    const auto protocol = iso::protocol(chosen);

    BOOST_TEST(!protocol.shares_keys);
    BOOST_TEST((protocol.late_replies == 5s));
    BOOST_TEST((protocol.heartbeat_after == 7s));
}

BOOST_AUTO_TEST_CASE(it_signs_on_and_tests_the_connection_with_messages_of_its_own)
{
    conversation conversation(true);

    BOOST_TEST(conversation.codec().greeting() == framed(own(999'000, "001")));
    BOOST_TEST(conversation.codec().heartbeat() == framed(own(999'001, "301")));
    BOOST_TEST(conversation.codec().probe() == framed(own(999'002, "301")));
}

BOOST_AUTO_TEST_CASE(it_does_not_sign_on_where_it_is_not_told_to)
{
    BOOST_TEST(conversation(false).codec().greeting() == "");
}

BOOST_AUTO_TEST_CASE(its_numbers_begin_again_behind_the_last)
{
    conversation conversation;
    for (int times = 0; times != 999; ++times)
        conversation.codec().probe();

    BOOST_TEST(conversation.codec().probe() == framed(own(999'999, "301")));
    BOOST_TEST(conversation.codec().probe() == framed(own(999'000, "301")));
}

BOOST_AUTO_TEST_CASE(two_connections_do_not_sign_on_with_the_same_message)
{
    const auto protocol = iso::protocol(settings, at_half_past_four);

    BOOST_TEST(protocol.make_codec()->greeting() != protocol.make_codec()->greeting());
}

BOOST_AUTO_TEST_CASE(an_accepted_sign_on_is_a_sign_of_life) { signed_on(); }

BOOST_AUTO_TEST_CASE(a_declined_sign_on_ends_the_connection_and_says_why)
{
    conversation conversation(true);
    conversation.codec().greeting();

    BOOST_TEST((conversation.hear(answer_to_own(999'000, "001", "91")) ==
                events{"broken: it declines the sign-on with response code 91"}));
}

BOOST_AUTO_TEST_CASE(an_answer_to_the_sign_on_without_response_code_is_a_refusal)
{
    conversation conversation(true);
    conversation.codec().greeting();

    BOOST_TEST((conversation.hear({"0810", {now, {11, "999000", {}}, {70, "001", {}}}}) ==
                events{"broken: its answer to the sign-on has no response code, field 39"}));
}

BOOST_AUTO_TEST_CASE(what_is_no_answer_to_the_sign_on_is_no_sign_of_life)
{
    conversation conversation(true);
    conversation.codec().greeting();
    const auto of_another_connection = answer_to_own(999'001, "001");

    BOOST_TEST((conversation.hear(of_another_connection) ==
                events{message_event("0811124163000999001", of_another_connection)}));
    BOOST_TEST((conversation.hear(purchase()) == events{message_event("0211124163000000042", purchase())}));
    BOOST_TEST((conversation.hear(answer_to_own(999'000, "001")) == events{alive}));
}

BOOST_AUTO_TEST_CASE(an_answer_to_an_echo_test_is_a_sign_of_life_whatever_its_response_code)
{
    auto conversation = signed_on();
    conversation.codec().heartbeat();
    conversation.codec().probe();

    BOOST_TEST((conversation.hear(answer_to_own(999'002, "301", "96")) == events{alive}));
    BOOST_TEST((conversation.hear(answer_to_own(999'001, "301")) == events{alive}));
}

BOOST_AUTO_TEST_CASE(an_answer_to_an_echo_test_of_a_client_is_a_message)
{
    auto conversation = signed_on();
    const auto answer = answer_to_own(42, "301");

    BOOST_TEST((conversation.hear(answer) == events{message_event("0811124163000000042", answer)}));
}

// Only in network management messages are these numbers the bridge's.
BOOST_AUTO_TEST_CASE(a_reply_to_a_payment_with_such_a_number_is_a_message)
{
    auto conversation = signed_on();
    conversation.codec().heartbeat();
    const message reply{"0210", {now, {11, "999001", {}}, {39, "00", {}}}};

    BOOST_TEST((conversation.hear(reply) == events{message_event("0211124163000999001", reply)}));
}

BOOST_AUTO_TEST_CASE(the_hosts_own_network_management_is_answered_before_the_sign_on_too)
{
    conversation conversation(true);
    conversation.codec().greeting();
    for (const auto* about : {"001", "002", "301"}) {
        const message request{"0800",
                              {now,
                               {11, "000007", {}},
                               {12, "163000", {}},
                               {13, "1124", {}},
                               {33, "123456", {}},
                               {48, "not echoed", {}},
                               {70, about, {}}}};
        const message answer{"0810",
                             {now,
                              {11, "000007", {}},
                              {12, "163000", {}},
                              {13, "1124", {}},
                              {33, "123456", {}},
                              {39, "00", {}},
                              {70, about, {}}}};

        BOOST_TEST((conversation.hear(request) == events{"answer " + framed(answer)}), about);
    }
}

BOOST_AUTO_TEST_CASE(what_else_comes_unasked_has_a_key_that_nobody_waits_for)
{
    conversation conversation;
    const message key_exchange{"0800", {now, {11, "000007", {}}, {70, "161", {}}}};
    const message advice{"0220", {now, {11, "000042", {}}}};
    const message without_trace{"0210", {now, {39, "30", {}}}};

    BOOST_TEST((conversation.hear(key_exchange) == events{message_event("0801124163000000007", key_exchange)}));
    BOOST_TEST((conversation.hear(advice) == events{message_event("0221124163000000042", advice)}));
    BOOST_TEST((conversation.hear(without_trace) == events{message_event("0211124163000      ", without_trace)}));
}

BOOST_AUTO_TEST_CASE(a_reply_has_the_key_of_its_question)
{
    const auto question = iso::question_for({"0200", {now, {11, "000042", {}}}}, settings).value();
    conversation conversation;

    BOOST_TEST((conversation.hear(purchase()) == events{message_event(question.key.text(), purchase())}));
}

BOOST_AUTO_TEST_CASE(what_the_dialect_cannot_read_is_unreadable_and_the_stream_goes_on)
{
    conversation conversation;
    std::string garbage;
    iso::append_frame("garbage", settings.framing, garbage);

    BOOST_TEST((conversation.hear(garbage + framed(purchase())) ==
                events{"unreadable, 7 bytes", message_event("0211124163000000042", purchase())}));
    BOOST_TEST(conversation.shown().starts_with("field mti: "), conversation.shown());
}

BOOST_AUTO_TEST_CASE(what_is_no_frame_ends_the_connection)
{
    auto chosen = settings;
    chosen.framing.form = iso::length_form::ascii4;
    const auto codec = protocol(chosen).make_codec();
    std::ranges::copy(std::string_view("12x4"), codec->space().begin());
    codec->received(4);

    const auto event = codec->next();
    BOOST_TEST_REQUIRE(std::holds_alternative<event::broken>(event));
    BOOST_TEST(std::get<event::broken>(event).reason == "the length of a message has a character that is not a digit");
}

BOOST_AUTO_TEST_CASE(a_keep_alive_is_no_event)
{
    BOOST_TEST((conversation().hear(std::string_view("\0\0\0\0", 4)) == events{}));
}

BOOST_AUTO_TEST_CASE(what_has_come_of_a_message_is_counted_and_not_shown)
{
    conversation conversation;
    BOOST_TEST(conversation.codec().unfinished().size == 0U);
    const auto bytes = framed(purchase());
    conversation.hear(std::string_view(bytes).substr(0, 20));

    BOOST_TEST(conversation.codec().unfinished().size == 20U);
    BOOST_TEST(conversation.codec().unfinished().shown == "");
}

BOOST_AUTO_TEST_CASE(any_cut_of_the_stream_gives_the_same_events)
{
    std::string stream("\0\0", 2);
    for (const auto& message : {own(7, "001"), answer_to_own(999'000, "001"), purchase(), purchase("0220"),
                                answer_to_own(999'001, "301"), own(8, "301")})
        stream += framed(message);
    iso::append_frame("garbage", settings.framing, stream);
    conversation whole(true);
    whole.codec().greeting();
    const auto expected = whole.hear(stream);
    BOOST_TEST(expected.size() == 7U);

    for (std::size_t piece_size = 1; piece_size != stream.size(); ++piece_size) {
        conversation in_pieces(true);
        in_pieces.codec().greeting();
        BOOST_TEST((in_pieces.hear(stream, piece_size) == expected), "in pieces of " << piece_size);
    }
}

// Only a message's MTI, 3, 7, 11, 37, 39, 41 and 70 may be shown. All other fields have a mark.
BOOST_AUTO_TEST_CASE(nothing_of_a_card_is_shown_whatever_becomes_of_its_message)
{
    constexpr std::string_view mark = "6666";
    const std::vector<element> secrets{{2, "6666666666666666", {}},
                                       {3, "000000", {}},
                                       {4, "000000666600", {}},
                                       {7, "1124163000", {}},
                                       {11, "000042", {}},
                                       {14, "6666", {}},
                                       {35, "6666666666666666=66661011234567890", {}},
                                       {37, "123456789012", {}},
                                       {38, "666600", {}},
                                       {39, "00", {}},
                                       {41, "TERM0001", {}},
                                       {42, "666600000000000", {}},
                                       {43, "6666                                    ", {}},
                                       {45, "B6666666666666666^A/B^6666", {}},
                                       {48, "6666", {}},
                                       {52, "6666666666666666", {}},
                                       {70, "301", {}},
                                       {102, "6666666666", {}}};
    for (const auto* mti : {"0100", "0200", "0210", "0290", "0420", "0430", "0800", "0810", "9200"}) {
        const auto bytes = packed({mti, secrets});
        BOOST_TEST_REQUIRE(bytes.find(mark) != std::string::npos);
        conversation conversation;
        for (std::size_t size = 0; size <= bytes.size(); ++size) { // cut off anywhere
            std::string stream;
            iso::append_frame(std::string_view(bytes).substr(0, size), settings.framing, stream);
            conversation.hear(stream);
        }
        for (std::size_t at = 0; at != bytes.size(); ++at) { // one byte is wrong
            auto garbled = bytes;
            garbled[at] = static_cast<char>(garbled[at] ^ 0x80);
            std::string stream;
            iso::append_frame(garbled, settings.framing, stream);
            conversation.hear(stream);
        }
        const auto half = framed({mti, secrets});
        conversation.hear(std::string_view(half).substr(0, half.size() / 2));

        BOOST_TEST(!conversation.shown().empty());
        BOOST_TEST(conversation.shown().find(mark) == std::string::npos, mti << ": " << conversation.shown());
        BOOST_TEST(conversation.codec().unfinished().shown.find(mark) == std::string_view::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_question_may_fill_its_frame_and_not_one_byte_more)
{
    const message question{"0200", {now, {11, "000042", {}}, {104, std::string(100, 'x'), {}}}};
    const auto size = packed(question).size();
    auto chosen = settings;
    chosen.framing = {.form = iso::length_form::bcd2, .header = std::string(9'999 - size, 'x')};
    BOOST_TEST(iso::question_for(question, chosen).has_value());

    chosen.framing.header += 'x';
    BOOST_TEST(!iso::question_for(question, chosen).has_value());
}

BOOST_AUTO_TEST_CASE(an_answer_to_the_host_may_fill_its_frame_and_not_one_byte_more)
{
    const message request{"0800", {now, {11, "000007", {}}, {33, "12345678901", {}}, {70, "301", {}}}};
    const message answer{"0810", {now, {11, "000007", {}}, {33, "12345678901", {}}, {39, "00", {}}, {70, "301", {}}}};
    const auto size = packed(answer).size();
    for (const auto& [room, fits] : {std::pair(size, true), {size - 1, false}}) {
        auto chosen = settings;
        chosen.framing = {.form = iso::length_form::bcd2, .header = std::string(9'999 - room, 'x')};
        const auto codec = protocol(chosen, at_half_past_four).make_codec();
        std::string stream;
        append_frame(packed(request), chosen.framing, stream);
        std::ranges::copy(stream, codec->space().begin());
        codec->received(stream.size());
        const auto event = codec->next();
        BOOST_TEST(std::holds_alternative<event::to_answer>(event) == fits);
        BOOST_TEST(std::holds_alternative<event::unreadable>(event) == !fits);
    }
}

BOOST_AUTO_TEST_CASE(a_header_that_leaves_no_room_for_messages_is_an_error_at_the_start)
{
    auto chosen = settings;
    const auto own_size = packed(own(999'000, "001")).size();
    chosen.framing = {.form = iso::length_form::bcd2, .header = std::string(9'999 - own_size, 'x')};
    BOOST_CHECK_NO_THROW(iso::protocol(chosen));

    chosen.framing.header += 'x';
    BOOST_CHECK_THROW(iso::protocol(chosen), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
