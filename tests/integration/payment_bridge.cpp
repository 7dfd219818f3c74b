// The bridge as a program in front of a payment host: what it shows of a message, how it is restarted, what stops it.
#include "backend/iso8583_host.hpp"
#include "load.hpp"
#include "payments.hpp"
#include "process.hpp"
#include "protocols/iso8583/built_in.hpp"
#include "protocols/iso8583/frame.hpp"
#include "protocols/iso8583/json.hpp"
#include "scrape.hpp"

#include "../temporary.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <future>
#include <optional>
#include <thread>

namespace causeway::test {
namespace {

http_answer post(const place& server, std::string_view body, std::string_view type = "application/json")
{
    connection client(server);
    client.send(fmt::format("POST / HTTP/1.1\r\nHost: test\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}", type,
                            body.size(), body));
    return receive_answer(client);
}

// The answer, once it has arrived.
std::future<http_answer> post_meanwhile(std::uint16_t port, const std::string& body)
{
    return std::async(std::launch::async, [=] { return post(port, body); });
}

words in_front_of_a_host(const std::string& host, words more = {})
{
    more.emplace_back("--protocol=iso8583");
    return in_front_of({host}, more);
}

// Secrets

// Every field that must not be shown is filled with this. Long enough not to occur elsewhere by chance.
constexpr std::string_view digits_mark = "73737";
constexpr std::string_view text_mark = "SECRET";
constexpr std::string_view bytes_mark = "5EC2E75EC2E7";

std::string repeated(std::string_view mark, std::size_t size)
{
    std::string text;
    while (text.size() < size)
        text += mark;
    return text.substr(0, size);
}

iso8583::element marked(unsigned number, const boost::json::value& specification)
{
    const auto& field = specification.as_object();
    const auto length = static_cast<std::size_t>(field.at("length").to_number<int>());
    const auto size = field.at("prefix").as_string().ends_with("Fixed") ? length : std::min<std::size_t>(length, 12);
    const auto& type = field.at("type").as_string();
    if (type == "Numeric" || type == "Track2")
        return {.number = number, .text = repeated(digits_mark, size), .parts = {}};
    if (type == "Binary")
        return {.number = number, .text = repeated(bytes_mark, 2 * size), .parts = {}};
    return {.number = number, .text = repeated(text_mark, size), .parts = {}};
}

std::vector<iso8583::element> marked_fields(const boost::json::object& fields)
{
    constexpr std::array may_be_shown{3U, 7U, 11U, 37U, 39U, 41U, 70U};
    std::vector<iso8583::element> elements;
    for (const auto& [name, field] : fields) {
        const auto number = static_cast<unsigned>(std::stoul(name));
        if (number < 2 || std::ranges::find(may_be_shown, number) != may_be_shown.end())
            continue;
        if (const auto* parts = field.as_object().if_contains("subfields"))
            elements.push_back({.number = number, .text = {}, .parts = marked_fields(parts->as_object())});
        else
            elements.push_back(marked(number, field));
    }
    std::ranges::sort(elements, {}, &iso8583::element::number);
    return elements;
}

// A message with marks in every field of the dialect that must not be shown, and with `shown`.
iso8583::message marked_message(std::string_view mti, const std::vector<iso8583::element>& shown)
{
    const auto files = iso8583::built_in_dialect_files();
    const auto postilion = std::ranges::find(files, "postilion", &iso8583::dialect_file::name);
    const auto specification = boost::json::parse(postilion->text);
    iso8583::message message{.mti = std::string(mti),
                             .elements = marked_fields(specification.at("fields").as_object())};
    message.elements.insert(message.elements.end(), shown.begin(), shown.end());
    std::ranges::sort(message.elements, {}, &iso8583::element::number);
    return message;
}

iso8583::element field(unsigned number, std::string_view text)
{
    return {.number = number, .text = std::string(text), .parts = {}};
}

std::string json_of(const iso8583::message& message)
{
    std::string json;
    iso8583::append_json(message, json);
    return json;
}

bool has_mark(std::string_view text)
{
    constexpr std::string_view raw_bytes = "\x5e\xc2\xe7";
    return text.find(digits_mark) != text.npos || text.find(text_mark) != text.npos ||
           text.find(bytes_mark) != text.npos || text.find(raw_bytes) != text.npos;
}

const iso8583::framing with_header{.header = "\x60"};

// The host, played by the test.
class played_host {
public:
    explicit played_host(connection to_bridge)
        : to_bridge_(std::move(to_bridge))
    {
    }

    iso8583::message receive()
    {
        const auto length = to_bridge_.receive(2);
        const auto size = static_cast<unsigned char>(length.at(0)) * 256U + static_cast<unsigned char>(length.at(1));
        return payments().dialect.unpack(to_bridge_.receive(size).substr(1)).value();
    }

    void send(const iso8583::message& message) { send_bytes(payments().dialect.pack(message).value()); }

    // In a frame, whether it is a message or not.
    void send_bytes(std::string_view bytes)
    {
        std::string wire;
        append_frame(bytes, with_header, wire);
        send_raw(wire);
    }

    void send_raw(std::string_view bytes) { to_bridge_.send(bytes); }

    // With marks and these fields, in answer to a message from the bridge.
    void answer(const iso8583::message& question, std::vector<iso8583::element> shown)
    {
        for (const unsigned number : {7U, 11U})
            shown.push_back(field(number, *text_of(question, number)));
        auto mti = question.mti;
        mti[2] = '1';
        send(marked_message(mti, shown));
    }

    void answer_sign_on(std::string_view code) { answer(receive(), {field(39, code), field(70, "001")}); }

    // The next message except the bridge's echo tests, which are answered.
    iso8583::message receive_no_test()
    {
        auto message = receive();
        for (; message.mti == "0800"; message = receive())
            answer(message, {field(39, "00"), field(70, "301")});
        return message;
    }

private:
    connection to_bridge_;
};

std::string marked_purchase(std::string_view trace)
{
    return json_of(
        marked_message("0200", {field(3, "000000"), field(7, "1128183000"), field(11, trace), field(41, "TERM0001")}));
}

// One restart after the other

// A host on its own thread that serves one client at a time: the next one waits until the first has left.
class host_for_one {
public:
    host_for_one()
        : host_(io_, {"127.0.0.1", port_}, 1s, 1, "", {.dialect = payments().dialect})
    {
        host_.start();
        thread_ = std::jthread([this] { io_.run(); });
    }
    ~host_for_one()
    {
        asio::post(io_, [this] { host_.stop(); });
    }
    host_for_one(const host_for_one&) = delete;
    host_for_one& operator=(const host_for_one&) = delete;

    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

private:
    std::uint16_t port_ = listener().port();
    asio::io_context io_{1};
    backend::iso8583_host host_;
    std::jthread thread_;
};

// Pays without a pause, on a new connection for each payment.
class payer {
public:
    explicit payer(std::uint16_t port, unsigned first_trace)
        : thread_([=, this](const std::stop_token& stopped) {
            try {
                for (auto trace = first_trace; !stopped.stop_requested() && wrong_.empty(); ++trace)
                    if (const auto answer = post(port, purchase(100 + trace, trace)); answer.status != 200)
                        wrong_ = answer.head + answer.body;
                    else
                        ++paid_;
            } catch (const std::exception& error) {
                wrong_ = error.what();
            }
        })
    {
    }

    void wait_for(std::size_t payments)
    {
        const auto enough = paid_ + payments;
        wait_until([&] { return paid_ >= enough; });
    }

    // Ends it; returns what was wrong.
    std::string stop()
    {
        thread_.request_stop();
        thread_.join();
        return wrong_;
    }

private:
    std::atomic<std::size_t> paid_ = 0;
    std::string wrong_;
    std::jthread thread_;
};

// Not in every container.
boost::test_tools::assertion_result where_names_can_be_changed(boost::unit_test::test_unit_id /*test*/)
{
    return names_can_be_changed();
}

} // namespace

BOOST_AUTO_TEST_SUITE(payment_bridge)

BOOST_AUTO_TEST_CASE(nothing_of_a_card_is_shown_whatever_goes_wrong)
{
    listener host;
    const temporary_directory directory;
    const auto access_log = directory.path() + "/access.log";
    causeway_process bridge(
        in_front_of_a_host(host.address(), {"--iso8583-header=60", "--reply-timeout=1s", "--reconnect-max=1ms",
                                            "--log-level=trace", "--access-log=" + access_log, "--admin=127.0.0.1:0"}));
    const auto port = bridge.port();

    // What HTTP clients do wrong.
    const auto good = marked_purchase("000001");
    const auto with = [&](std::string_view member) {
        return good.substr(0, good.size() - 1) + "," + std::string(member) + "}";
    };
    for (const auto& [body, status] : std::initializer_list<std::pair<std::string, int>>{
             {good.substr(0, good.size() - 1), 400},
             {with(R"("66":"7373737373")"), 400},
             {with(R"("129":"SECRET")"), 400},
             {with(R"("SECRET":"SECRET")"), 400},
             {with(R"("2":7373737373737)"), 400},
             {with("SECRET"), 400},
             {R"({"mti":"0200","2":"SECRET","3":"000000","7":"1128183000","11":"000001"})", 400},
             {R"({"mti":"0200","2":"737373737373737373737373","3":"000000","7":"1128183000","11":"000001"})", 400},
             {json_of(marked_message("0210", {field(7, "1128183000"), field(11, "000001")})), 422},
             {json_of(marked_message("0200", {})), 422},
             {std::string(70'000, '7') + good, 413}}) {
        const auto answer = post(port, body);
        BOOST_TEST(answer.status == status, answer.body);
        BOOST_TEST(!has_mark(answer.body), answer.body);
    }
    BOOST_TEST(post(port, good, "text/plain").status == 415);

    // What hosts do wrong.
    {
        played_host declining(host.accept());
        declining.answer_sign_on("05");
        bridge.wait_for_line("declines the sign-on with response code 05");
    }
    {
        played_host silent(host.accept());
        silent.answer_sign_on("00");
        auto first = post_meanwhile(port, good);
        const auto question = silent.receive_no_test();
        BOOST_TEST(post(port, good).status == 409);
        const auto answer = first.get();
        BOOST_TEST(answer.status == 504);
        BOOST_TEST(boost::json::parse(answer.body).at("sent").as_bool());
        silent.answer(question, {field(39, "00"), field(41, "TERM0001")}); // too late
        silent.send(marked_message("0420", {field(7, "1128183000"), field(11, "000009")}));
        silent.send(marked_message("0800", {field(7, "1128183000"), field(11, "000010"), field(70, "999")}));
        silent.send(marked_message("0800", {field(7, "1128183000"), field(11, "000010"), field(70, "301")}));
        BOOST_TEST(silent.receive_no_test().mti == "0810");
        silent.send_bytes("0210\xff SECRET 737373 \x5e\xc2\xe7");
        bridge.wait_for_line("cannot read a message of ");
        silent.send_bytes("SECRET");
        silent.send_raw("\x01\x01SECRET"); // no header
        bridge.wait_for_line("connection lost");
    }
    {
        std::optional<played_host> forgetful(host.accept());
        forgetful->answer_sign_on("00");
        auto first = post_meanwhile(port, marked_purchase("000002"));
        forgetful->answer(forgetful->receive_no_test(), {field(39, "00"), field(41, "ANOTHER1")});
        const auto answer = first.get();
        BOOST_TEST(answer.status == 502);
        BOOST_TEST(answer.body.find(R"("sent":true)") != std::string::npos);
        auto second = post_meanwhile(port, marked_purchase("000003"));
        forgetful->receive_no_test();
        forgetful->send_raw(std::string("\x01\x40\x60"
                                        "0210SECRETSECRET73737373",
                                        26)); // and that is all
        forgetful.reset();
        BOOST_TEST(second.get().status == 502);
    }
    {
        played_host right(host.accept());
        right.answer_sign_on("00");
        auto first = post_meanwhile(port, marked_purchase("000004"));
        right.answer(right.receive_no_test(), {field(39, "00"), field(41, "TERM0001")});
        BOOST_TEST(first.get().status == 200);

        BOOST_TEST(!has_mark(get_page(bridge.admin_port(), "/metrics").body));
        bridge.signal(SIGTERM);
        BOOST_TEST(bridge.wait() == 0);
    }
    BOOST_TEST(!has_mark(bridge.output()), bridge.output());
    BOOST_TEST(!has_mark(text_of(access_log)));
    BOOST_TEST(text_of(access_log).find("504") != std::string::npos);
}

// A core dump would contain messages. With a limit of 1 the kernel starts no dump handler either.
BOOST_AUTO_TEST_CASE(neither_bridge_nor_host_leaves_a_core_dump)
{
    const auto limit_of = [](const process& process) {
        const auto limits = text_of(fmt::format("/proc/{}/limits", process.id()));
        const auto line = limits.substr(limits.find("Max core file size"));
        return line.substr(0, line.find('\n'));
    };
    const auto expected = "Max core file size        1                    1                    bytes     ";
    iso8583_host_process host(on_a_free_port);
    host.port();
    causeway_process bridge(in_front_of_a_host(host.address()));
    bridge.port();

    BOOST_TEST(limit_of(bridge) == expected);
    BOOST_TEST(limit_of(host) == expected);
}

BOOST_AUTO_TEST_CASE(a_host_that_allows_one_connection_is_handed_over_in_a_rolling_restart)
{
    const host_for_one host;
    auto arguments =
        in_front_of_a_host(host.address(), {"--share-port", "--reply-timeout=20s", "--reconnect-max=100ms"});
    auto bridge = std::make_unique<causeway_process>(arguments);
    arguments[0] = "--listen=" + bridge->address();
    bridge->wait_for_line("connected");

    payer first(bridge->port(), 0);
    payer second(bridge->port(), 100'000);
    for (int restarts = 0; restarts != 3; ++restarts) {
        first.wait_for(100);
        auto next = std::make_unique<causeway_process>(arguments);
        next->port();
        bridge->signal(SIGTERM);
        BOOST_TEST(bridge->wait() == 0);
        bridge = std::move(next);
        bridge->wait_for_line("connected");
    }
    first.wait_for(100);
    BOOST_TEST(first.stop() == "");
    BOOST_TEST(second.stop() == "");
}

// As a front end does that is up while its application is down.
BOOST_AUTO_TEST_CASE(of_several_addresses_one_that_signs_on_and_loses_payments_is_left_for_another,
                     *boost::unit_test::precondition(where_names_can_be_changed))
{
    listener loses;
    const temporary_file hosts("127.0.0.1 host.test\n127.0.0.5 host.test\n");
    const auto port = ":" + std::to_string(loses.port());
    iso8583_host_process works({"--listen=127.0.0.5" + port, "--iso8583-header=60"});
    works.port();
    causeway_with_hosts bridge(hosts.path(), in_front_of_a_host("host.test" + port, {"--iso8583-header=60"}));
    std::optional<played_host> losing(loses.accept());
    losing->answer_sign_on("00");
    bridge.wait_for_line("connected");
    auto lost = post_meanwhile(bridge.port(), marked_purchase("000001"));
    losing->receive_no_test();
    losing.reset();
    BOOST_TEST(lost.get().status == 502);
    BOOST_TEST(post(bridge.port(), marked_purchase("000002")).status == 200);
}

// As a standby does that must not be used yet. Nobody has asked for anything meanwhile.
BOOST_AUTO_TEST_CASE(of_several_addresses_one_that_signs_on_and_hangs_up_is_left_for_another,
                     *boost::unit_test::precondition(where_names_can_be_changed))
{
    listener hangs_up;
    const temporary_file hosts("127.0.0.1 host.test\n127.0.0.5 host.test\n");
    const auto port = ":" + std::to_string(hangs_up.port());
    iso8583_host_process works({"--listen=127.0.0.5" + port, "--iso8583-header=60"});
    works.port();
    causeway_with_hosts bridge(hosts.path(), in_front_of_a_host("host.test" + port, {"--iso8583-header=60"}));
    std::optional<played_host> standby(hangs_up.accept());
    standby->answer_sign_on("00");
    bridge.wait_for_line("connected");
    standby.reset();
    bridge.wait_for_line("connected", 2);
    BOOST_TEST(!hangs_up.can_accept());
    BOOST_TEST(post(bridge.port(), marked_purchase("000001")).status == 200);
}

BOOST_AUTO_TEST_CASE(a_dialect_that_cannot_be_meant_ends_it_and_says_where)
{
    const temporary_file file("{\n\"fields\": {\n\"0\": {\"type\": \"Number\"}\n}}\n");
    const auto status_of = [](causeway_process& bridge, std::string_view line) {
        bridge.wait_for_line(line);
        return bridge.wait();
    };

    causeway_process wrong(in_front_of_a_host("127.0.0.1:1", {"--iso8583-spec=" + file.path()}));
    BOOST_TEST(status_of(wrong, file.path() + ":3: ") == 1);
    causeway_process none(in_front_of_a_host("127.0.0.1:1", {"--iso8583-spec=/nonexistent.json"}));
    BOOST_TEST(status_of(none, "cannot read --iso8583-spec /nonexistent.json: No such file or directory; the built-in "
                               "dialects are") == 1);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
