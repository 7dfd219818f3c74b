#include "backend/iso8583_responder.hpp"
#include "iso8583_kit.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

using namespace causeway::backend;
using namespace causeway::iso8583::test;
using namespace std::chrono_literals;
namespace iso = causeway::iso8583;
using causeway::clock;

// 24 November, 16:30:00
std::chrono::system_clock::time_point at_half_past_four()
{
    return std::chrono::sys_days(std::chrono::November / 24 / 2026) + 16h + 30min;
}

constexpr clock::time_point start{1000h};

constexpr auto purchase = R"({"mti":"0200","4":"000000001000","7":"1124163000","11":"000001"})";
constexpr auto approval = R"({"mti":"0210","4":"000000001000","7":"1124163000","11":"000001","38":"000001","39":"00"})";
constexpr auto slow_purchase = R"({"mti":"0200","4":"000000000068","7":"1124163000","11":"000002"})";
constexpr auto slow_approval =
    R"({"mti":"0210","4":"000000000068","7":"1124163000","11":"000002","38":"000002","39":"00"})";
constexpr auto silent_purchase = R"({"mti":"0200","4":"000000000091","7":"1124163000","11":"000003"})";
constexpr auto first_echo_test = R"({"mti":"0800","7":"1124163000","11":"000001","70":"301"})";
constexpr auto second_echo_test = R"({"mti":"0800","7":"1124163000","11":"000002","70":"301"})";
constexpr auto answer_to_echo_test = R"({"mti":"0810","7":"1124163000","11":"000001","39":"00","70":"301"})";

// Everything that is logged while it lives.
class log_capture {
public:
    log_capture()
    {
        auto logger = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_));
        logger->set_level(spdlog::level::trace);
        spdlog::set_default_logger(std::move(logger));
    }
    ~log_capture() { spdlog::set_default_logger(before_); }
    log_capture(const log_capture&) = delete;
    log_capture& operator=(const log_capture&) = delete;

    bool has(std::string_view text) const { return text_.str().find(text) != std::string::npos; }

private:
    std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
    std::ostringstream text_;
};

struct fixture {
    host_settings settings{.dialect = iso::dialect::built_in("iso8583-1987-ascii"), .time_of_day = at_half_past_four};
    complaints complained;
    log_capture log;
    std::unique_ptr<iso8583_responder> responder = std::make_unique<iso8583_responder>(settings, complained, start);

    void begin_again(const host_settings& others)
    {
        settings = others;
        responder = std::make_unique<iso8583_responder>(settings, complained, start);
    }

    std::string framed(std::string_view json) const
    {
        std::string wire;
        append_frame(settings.dialect.pack(message_of(json)).value(), settings.framing, wire);
        return wire;
    }

    // The messages in what it sent, one after the other.
    std::string read(std::string_view wire) const
    {
        iso::frame_reader frames(settings.framing);
        std::string all;
        while (!wire.empty()) {
            const auto space = frames.space();
            const auto count = wire.copy(space.data(), space.size());
            frames.received(count);
            wire.remove_prefix(count);
            while (const auto message = frames.next())
                all += json_of(settings.dialect.unpack(*message).value());
        }
        BOOST_TEST(frames.unfinished() == 0U);
        return all;
    }

    std::string hear(std::string_view wire, clock::time_point now = start)
    {
        std::string output;
        BOOST_TEST(responder->take(wire, now, output));
        return read(output);
    }

    std::string speak(clock::time_point now)
    {
        std::string output;
        responder->speak(now, output);
        return read(output);
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(iso8583_responder, fixture)

// Messages and bytes

BOOST_AUTO_TEST_CASE(messages_that_come_together_are_answered_in_their_order)
{
    const auto sign_on = R"({"mti":"0800","7":"1124163000","11":"000009","70":"001"})";
    BOOST_TEST(hear(framed(sign_on) + framed(purchase) + framed(silent_purchase) + framed(purchase)) ==
               std::string(R"({"mti":"0810","7":"1124163000","11":"000009","39":"00","70":"001"})") + approval +
                   approval);
}

BOOST_AUTO_TEST_CASE(wherever_the_bytes_are_cut_the_answers_are_the_same)
{
    const auto wire = framed(purchase) + framed(purchase);
    for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
        auto answers = hear(wire.substr(0, cut));
        answers += hear(wire.substr(cut));
        BOOST_TEST(answers == std::string(approval) + approval, "cut at " << cut);
    }
    std::string answers;
    for (const char byte : wire)
        answers += hear(std::string_view(&byte, 1));
    BOOST_TEST(answers == std::string(approval) + approval);
}

BOOST_AUTO_TEST_CASE(any_framing_and_dialect_is_spoken_in_both_directions)
{
    using enum iso::length_form;
    for (const auto* dialect : {"iso8583-1987-ascii", "postilion"})
        for (const auto form : {binary2, binary4, ascii4, bcd2})
            for (const bool includes_itself : {false, true}) {
                begin_again({.dialect = iso::dialect::built_in(dialect),
                             .framing = {form, "\x60\x00\x01", includes_itself},
                             .time_of_day = at_half_past_four});
                BOOST_TEST(hear(framed(purchase)) == approval);
                BOOST_TEST(speak(start + 30s) == first_echo_test);
            }
}

BOOST_AUTO_TEST_CASE(a_keep_alive_gets_no_answer)
{
    BOOST_TEST(hear(std::string(2, '\0') + framed(purchase) + std::string(4, '\0')) == approval);
    BOOST_TEST(complained.unreadable == 0U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_logged_with_size_and_field_and_the_next_message_is_answered)
{
    auto wire = framed(purchase);
    wire[wire.find("000000001000")] = 'x'; // field 4
    BOOST_TEST(hear(wire + framed(purchase)) == approval);
    BOOST_TEST(complained.unreadable == 1U);
    BOOST_TEST(log.has(fmt::format("no answer to a message of {} bytes: 4: ", wire.size() - 2)));
    BOOST_TEST(log.has("(1 such so far)"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_answered_in_the_dialect_is_logged_likewise)
{
    auto wire = framed(R"({"mti":"0200","11":"000001","41":"TERM0001"})");
    wire[wire.find("TERM0001")] = '\x01'; // is read, and cannot be written
    BOOST_TEST(hear(wire) == "");
    BOOST_TEST(complained.unreadable == 1U);
    BOOST_TEST(log.has("bytes: 41: "));
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_too_long_for_a_frame_is_logged_likewise)
{
    auto framing = settings.framing;
    framing.header = std::string(65'535 - 50, 'h');
    begin_again({.dialect = settings.dialect, .framing = framing, .time_of_day = at_half_past_four});
    BOOST_TEST(hear(framed(R"({"mti":"0200","4":"000000001000","11":"000001","41":"T2345678"})")) == "");
    BOOST_TEST(log.has("a frame is too short for the answer"));
}

BOOST_AUTO_TEST_CASE(a_stream_without_frames_cannot_be_read_further)
{
    begin_again({.dialect = settings.dialect, .framing = {.form = iso::length_form::ascii4}});
    std::string output;
    BOOST_TEST(!responder->take(framed(purchase) + "GET / HTTP/1.1", start, output));
    BOOST_TEST(read(output) == approval);
    BOOST_TEST(complained.broken == 1U);
    BOOST_TEST(
        log.has("a connection ends: the length of a message has a character that is not a digit (1 such so far)"));
    BOOST_TEST(!log.has("GET"));
}

BOOST_AUTO_TEST_CASE(a_message_without_an_end_is_logged_with_its_size)
{
    const auto wire = framed(purchase);
    hear(wire.substr(0, 20));
    std::string output;
    responder->finish(output);
    BOOST_TEST(output == "");
    BOOST_TEST(log.has("no answer to a message of 20 bytes: "));
}

BOOST_AUTO_TEST_CASE(between_messages_a_connection_ends_without_a_word)
{
    hear(framed(purchase));
    std::string output;
    responder->finish(output);
    BOOST_TEST(output == "");
    BOOST_TEST(complained.unreadable == 0U);
}

// Time

BOOST_AUTO_TEST_CASE(a_slow_answer_is_due_when_it_says)
{
    BOOST_TEST(hear(framed(slow_purchase)) == "");
    BOOST_TEST(responder->held() == framed(slow_approval).size());
    BOOST_TEST((responder->due() == start + 3s));
    BOOST_TEST(speak(start + 3s - 1ns) == "");
    BOOST_TEST(speak(start + 3s) == slow_approval);
    BOOST_TEST(responder->held() == 0U);
    BOOST_TEST(speak(start + 4s) == "");
}

BOOST_AUTO_TEST_CASE(others_do_not_wait_for_a_slow_answer)
{
    BOOST_TEST(hear(framed(slow_purchase) + framed(purchase)) == approval);
    BOOST_TEST(hear(framed(slow_purchase) + framed(slow_purchase), start + 1s) == "");
    BOOST_TEST(speak(start + 3s) == slow_approval);
    BOOST_TEST((responder->due() == start + 4s));
    BOOST_TEST(speak(start + 4s) == std::string(slow_approval) + slow_approval);
}

BOOST_AUTO_TEST_CASE(after_quiet_it_sends_an_echo_test)
{
    BOOST_TEST((responder->due() == start + 30s));
    BOOST_TEST(speak(start + 30s - 1ns) == "");
    BOOST_TEST(speak(start + 30s) == first_echo_test);
    BOOST_TEST(hear(framed(answer_to_echo_test), start + 31s) == "");
    BOOST_TEST((responder->due() == start + 61s));
    BOOST_TEST(speak(start + 61s) == second_echo_test);
}

BOOST_AUTO_TEST_CASE(traffic_in_either_direction_is_no_quiet)
{
    hear(framed(slow_purchase), start + 20s);
    BOOST_TEST(speak(start + 23s) == slow_approval);
    BOOST_TEST((responder->due() == start + 53s));
    hear(framed(purchase).substr(0, 1), start + 40s);
    BOOST_TEST((responder->due() == start + 70s));
}

BOOST_AUTO_TEST_CASE(an_echo_test_is_not_repeated_until_something_has_come)
{
    begin_again({.dialect = settings.dialect, .echo_after = 2s, .time_of_day = at_half_past_four});
    hear(framed(slow_purchase));
    BOOST_TEST(speak(start + 2s) == first_echo_test);
    BOOST_TEST(speak(start + 3s) == slow_approval);
    BOOST_TEST((responder->due() == responder->never));
    BOOST_TEST(speak(start + 1h) == "");
    hear(framed(purchase), start + 1h);
    BOOST_TEST(speak(start + 1h + 2s) == second_echo_test);
}

BOOST_AUTO_TEST_CASE(without_a_time_for_it_there_is_no_echo_test)
{
    begin_again({.dialect = settings.dialect, .echo_after = 0s});
    BOOST_TEST((responder->due() == responder->never));
    BOOST_TEST(hear(framed(slow_purchase)) == "");
    BOOST_TEST(speak(start + 3s) == slow_approval);
    BOOST_TEST((responder->due() == responder->never));
}

// Settings and secrets

BOOST_AUTO_TEST_CASE(a_dialect_without_words_for_its_messages_is_refused)
{
    const auto speaks = [](std::string_view fields) {
        return host_settings{.dialect = iso::dialect::parse(dialect_with(fields), "file")};
    };
    const std::string most = R"("7": {"type": "Numeric", "length": 10, "enc": "ASCII", "prefix": "ASCII.Fixed"},
        "11": {"type": "Numeric", "length": 6, "enc": "ASCII", "prefix": "ASCII.Fixed"},
        "39": {"type": "String", "length": 2, "enc": "ASCII", "prefix": "ASCII.Fixed"},
        "70": {"type": "Numeric", "length": 3, "enc": "ASCII", "prefix": "ASCII.Fixed"})";
    const auto says_which = [](const std::invalid_argument& error) {
        return std::string_view(error.what()).find("fields 7, 11, 38, 39 and 70: 38: ") != std::string_view::npos;
    };
    BOOST_CHECK_EXCEPTION(check(speaks(most)), std::invalid_argument, says_which);
    check(speaks(most + R"(, "38": {"type": "String", "length": 6, "enc": "ASCII", "prefix": "ASCII.Fixed"})"));
    BOOST_CHECK_THROW(check({.dialect = settings.dialect, .framing = {.header = std::string(65'535, 'h')}}),
                      std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(nothing_of_a_card_is_logged_whatever_becomes_of_its_message)
{
    begin_again({.dialect = iso::dialect::built_in("postilion")});
    const auto wire = framed(R"({"mti":"0200","2":"5551115551115551","3":"000000","4":"000000001000",
        "7":"1124163000","11":"000001","14":"5551","35":"5551115551115551=5551","37":"REFERENCE001","41":"TERM0001",
        "43":"5551                                    ","52":"5551555155515551","127":{"2":"5551"}})");
    hear(wire);
    BOOST_TEST(log.has("0200 3=000000 7=1124163000 11=000001 37=REFERENCE001 41=TERM0001, "));
    BOOST_TEST(log.has("0210 3=000000 7=1124163000 11=000001 37=REFERENCE001 39=00 41=TERM0001"));
    for (std::size_t at = 2; at < wire.size(); ++at) {
        auto garbled = wire;
        garbled[at] = static_cast<char>(garbled[at] ^ 0x15);
        std::string output;
        responder->take(garbled, start, output);
        begin_again(host_settings(settings));
        responder->take(wire.substr(0, at), start, output);
        responder->finish(output);
        begin_again(host_settings(settings));
    }
    BOOST_TEST(complained.unreadable > 50U);
    BOOST_TEST(!log.has("5551"));
}

BOOST_AUTO_TEST_SUITE_END()
