// The emulated payment host as its user starts it, over plain TCP.
#include "../temporary.hpp"
#include "../unit/iso8583_kit.hpp"
#include "blocking.hpp"
#include "kit.hpp"
#include "process.hpp"
#include "protocols/iso8583/built_in.hpp"
#include "protocols/iso8583/dialect.hpp"
#include "protocols/iso8583/frame.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <utility>

namespace causeway::test {
namespace {

using iso8583::length_form;
using iso8583::test::json_of;
using iso8583::test::message_of;

// It speaks the default dialect.
class payment_client {
public:
    explicit payment_client(std::uint16_t port, iso8583::framing framing = {})
        : framing_(std::move(framing))
        , connection_(port)
    {
    }

    std::string framed(std::string_view json) const
    {
        std::string wire;
        append_frame(dialect_.pack(message_of(json)).value(), framing_, wire);
        return wire;
    }

    void send(std::string_view bytes) { connection_.send(bytes); }

    // The next message; nothing when the other side has ended the connection.
    std::string receive()
    {
        for (;;) {
            if (const auto bytes = frames_.next())
                return json_of(dialect_.unpack(*bytes).value());
            const auto byte = connection_.receive(1);
            if (byte.empty())
                return "";
            frames_.space().front() = byte.front();
            frames_.received(1);
        }
    }

    std::string ask(std::string_view json)
    {
        send(framed(json));
        return receive();
    }

private:
    iso8583::dialect dialect_ = iso8583::dialect::built_in("postilion");
    iso8583::framing framing_;
    iso8583::frame_reader frames_{framing_};
    connection connection_;
};

std::string with_amount(std::string_view amount)
{
    return fmt::format(R"({{"mti":"0200","2":"5551115551115551","3":"000000","4":"{:0>12}","7":"1124164510",)"
                       R"("11":"000002","14":"5551","35":"5551115551115551=5551","41":"TERM0001","49":"978",)"
                       R"("52":"5551555155515551"}})",
                       amount);
}

constexpr auto sign_on = R"({"mti":"0800","7":"1124164510","11":"000001","70":"001"})";
constexpr auto signed_on = R"({"mti":"0810","7":"1124164510","11":"000001","39":"00","70":"001"})";
constexpr auto approved =
    R"({"mti":"0210","3":"000000","4":"000000001000","7":"1124164510","11":"000002","38":"000002","39":"00",)"
    R"("41":"TERM0001","49":"978"})";

struct fixture {
    iso8583_host_process host{{"--listen=127.0.0.1:0", "--log-level=debug"}};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(iso8583_host, fixture)

BOOST_AUTO_TEST_CASE(it_says_where_it_listens_and_is_signed_on_to)
{
    payment_client client(host.port());
    BOOST_TEST(client.ask(sign_on) == signed_on);
    BOOST_TEST(client.ask(with_amount("1000")) == approved);
    BOOST_TEST(host.wait_for_line("iso8583 host: listening on 127.0.0.1:") != "");
}

BOOST_AUTO_TEST_CASE(a_client_that_has_not_signed_on_is_served_too)
{
    BOOST_TEST(payment_client(host.port()).ask(with_amount("1000")) == approved);
}

BOOST_AUTO_TEST_CASE(it_declines_is_slow_and_keeps_silent)
{
    payment_client client(host.port());
    const auto begin = clock::now();
    BOOST_TEST(client.ask(with_amount("100000")).find(R"("39":"51")") != std::string::npos);
    client.send(client.framed(with_amount("91")) + client.framed(with_amount("68")));
    BOOST_TEST(client.receive().find(R"("4":"000000000068","7":"1124164510","11":"000002","38":"000002","39":"00")") !=
               std::string::npos);
    BOOST_TEST((clock::now() - begin >= 3s));
    BOOST_TEST(client.ask(sign_on) == signed_on); // nothing came before
}

BOOST_AUTO_TEST_CASE(a_reversal_is_answered_and_so_is_its_repeat)
{
    payment_client client(host.port());
    for (const std::string mti : {"0420", "0421"})
        BOOST_TEST(client.ask(R"({"mti":")" + mti +
                              R"(","3":"000000","4":"000000000091","7":"1124164512","11":"000003","41":"TERM0001",)"
                              R"("90":"020000000211241645100000000000000000000000"})") ==
                   R"({"mti":"0430","3":"000000","4":"000000000091","7":"1124164512","11":"000003","39":"00",)"
                   R"("41":"TERM0001","90":"020000000211241645100000000000000000000000"})");
}

BOOST_AUTO_TEST_CASE(tcp_may_cut_and_join_messages)
{
    payment_client client(host.port());
    const auto wire = client.framed(sign_on) + client.framed(with_amount("1000"));
    client.send(wire);
    BOOST_TEST(client.receive() == signed_on);
    BOOST_TEST(client.receive() == approved);
    for (const char byte : wire)
        client.send(std::string_view(&byte, 1));
    BOOST_TEST(client.receive() == signed_on);
    BOOST_TEST(client.receive() == approved);
}

BOOST_AUTO_TEST_CASE(what_it_cannot_read_is_logged_and_the_connection_goes_on)
{
    payment_client client(host.port());
    auto wire = client.framed(with_amount("1000"));
    wire[wire.find("000000001000")] = 'x'; // field 4
    client.send(wire + client.framed(sign_on));
    BOOST_TEST(client.receive() == signed_on);
    host.wait_for_line(fmt::format("no answer to a message of {} bytes: 4: ", wire.size() - 2));
}

BOOST_AUTO_TEST_CASE(garbage_ends_the_connection_and_is_not_logged)
{
    iso8583_host_process other({"--listen=127.0.0.1:0", "--iso8583-frame=ascii4", "--log-level=trace"});
    payment_client client(other.port(), {.form = length_form::ascii4});
    BOOST_TEST(client.ask(sign_on) == signed_on);
    client.send("GET / HTTP/1.1");
    BOOST_TEST(client.receive() == "");
    other.wait_for_line("a connection ends: the length of a message has a character that is not a digit");
    other.signal(SIGTERM);
    BOOST_TEST(other.wait() == 0);
    BOOST_TEST(other.output().find("GET") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(nothing_of_a_card_is_logged)
{
    payment_client client(host.port());
    const auto wire = client.framed(with_amount("1000"));
    client.ask(with_amount("1000"));
    client.send(wire);
    client.receive();
    auto garbled = wire;
    garbled[wire.find("000000001000")] = 'x'; // field 4
    client.send(garbled + client.framed(sign_on) + wire.substr(0, wire.size() / 2));
    client.receive();
    host.wait_for_line("no answer to a message");
    host.signal(SIGTERM);
    BOOST_TEST(host.wait() == 0);
    BOOST_TEST(host.output().find("11=000002 41=TERM0001, ") != std::string::npos);
    BOOST_TEST(host.output().find("5551") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_frame_is_as_its_options_say)
{
    iso8583_host_process other(
        {"--listen=127.0.0.1:0", "--iso8583-header=6000010000", "--iso8583-frame-includes-itself"});
    payment_client client(other.port(), {.header = std::string("\x60\0\1\0\0", 5), .includes_itself = true});
    BOOST_TEST(client.ask(sign_on) == signed_on);
}

BOOST_AUTO_TEST_CASE(the_dialect_can_be_a_file)
{
    const temporary_directory directory;
    const auto file = directory.path() + "/mine.json";
    const auto built_in = iso8583::built_in_dialect_files();
    write_file(file, std::ranges::find(built_in, "postilion", &iso8583::dialect_file::name)->text);
    iso8583_host_process other({"--listen=127.0.0.1:0", "--iso8583-spec=" + file});
    BOOST_TEST(payment_client(other.port()).ask(sign_on) == signed_on);
}

BOOST_AUTO_TEST_CASE(a_signal_ends_it_with_its_connections)
{
    payment_client client(host.port());
    client.send(client.framed(with_amount("68")) + client.framed(sign_on));
    BOOST_TEST(client.receive() == signed_on);
    host.signal(SIGTERM);
    BOOST_TEST(host.wait() == 0);
    BOOST_TEST(client.receive() == "");
}

BOOST_AUTO_TEST_CASE(a_dialect_that_is_not_there_is_said_in_one_line)
{
    iso8583_host_process other({"--listen=127.0.0.1:0", "--iso8583-spec=nowhere"});
    BOOST_TEST(other.wait() == 1);
    BOOST_TEST(other.standard_error().starts_with("iso8583-host: cannot read --iso8583-spec nowhere: "));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
