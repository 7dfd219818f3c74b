// Load and faults for as long as CAUSEWAY_SOAK_SECONDS says; docs/reliability.md reports 20 minutes.
#include "faulty_backend.hpp"
#include "kit.hpp"
#include "load.hpp"
#include "process.hpp"

#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <thread>

namespace causeway::test {
namespace {

constexpr auto reply_timeout = 150ms;

constexpr int samples = 20;

std::string body_of_the_double(std::string_view code)
{
    return R"({"data":"Code )" + std::string(code) + R"(: of the double\n"})";
}

// Two faulty backends on their own thread.
class faulty_backends {
public:
    explicit faulty_backends(std::uint32_t seed)
        : first_(io_, seed)
        , second_(io_, seed + 1)
        , thread_([this] { io_.run(); })
    {
    }
    ~faulty_backends() { stop(); }
    faulty_backends(const faulty_backends&) = delete;
    faulty_backends& operator=(const faulty_backends&) = delete;

    words addresses() const { return {to_string(first_.address()), to_string(second_.address())}; }

    // How many faults there were.
    std::uint64_t stop()
    {
        if (thread_.joinable()) {
            asio::post(io_, [this] {
                first_.stop();
                second_.stop();
            });
            thread_.join();
        }
        return first_.faults() + second_.faults();
    }

private:
    asio::io_context io_;
    faulty_backend first_;
    faulty_backend second_;
    std::jthread thread_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(soak)

BOOST_AUTO_TEST_CASE(memory_and_descriptors_stay_flat_under_load_with_faults)
{
    const std::chrono::milliseconds duration = std::chrono::seconds(from_environment("CAUSEWAY_SOAK_SECONDS", 2));
    const auto seed = static_cast<std::uint32_t>(from_environment("CAUSEWAY_SOAK_SEED", std::random_device{}()));
    faulty_backends backends(seed);
    causeway_process causeway(in_front_of(backends.addresses(), {"--threads=2", "--reply-timeout=150ms"}));
    causeway.port();
    const auto descriptors_at_first = causeway.open_descriptors();
    const auto upstreams = 2 * backends.addresses().size();

    // With so many faults a message may be lost with its connection again and again.
    const auto right_or_refused =
        [judge = right_or_refused_in_time(reply_timeout, body_of_the_double)](const answered& answered) {
            return answered.answer.status == 502 ? "" : judge(answered);
        };
    steady_load load(causeway.port(), 32, right_or_refused);
    std::size_t warm = 0;
    for (int sample = 1; sample <= samples; ++sample) {
        std::this_thread::sleep_for(duration / samples);
        const auto memory = causeway.resident_kibibytes();
        if (sample == samples / 10)
            warm = memory;
        BOOST_TEST_MESSAGE(sample << "/" << samples << ": " << load.answers() << " answers, " << memory << " KiB, "
                                  << causeway.open_descriptors() << " descriptors");
    }
    const auto wrong = load.stop();
    BOOST_TEST(wrong == "", "seed " << seed << ": " << wrong);
    BOOST_TEST(load.answers(200) != 0U);
    BOOST_TEST_MESSAGE("seed " << seed << ": " << load.answers(200) << " x 200, " << load.answers(503) << " x 503, "
                               << load.answers(504) << " x 504");

    wait_until([&] { return causeway.open_descriptors() <= descriptors_at_first + upstreams; });
    if (duration >= 60s) // in a shorter time not even the necessary memory has been allocated
        BOOST_TEST(causeway.resident_kibibytes() < warm + warm / 10);
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);
    BOOST_TEST_MESSAGE(backends.stop() << " faults; " << causeway.wait_for_line("replies, "));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
