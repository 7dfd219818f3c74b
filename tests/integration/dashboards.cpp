// The dashboard, the alerts and Prometheus' configuration in docs/deployment/, against a running bridge. Where
// Prometheus is not installed, the tests say so and are skipped.
#include "../temporary.hpp"
#include "blocking.hpp"
#include "certificates.hpp"
#include "kit.hpp"
#include "load.hpp"
#include "process.hpp"

#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/algorithm/string/replace.hpp>
#include <boost/algorithm/string/split.hpp>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace causeway::test {
namespace {

namespace json = boost::json;

const std::string deployment = CAUSEWAY_PROJECT_DIR "/docs/deployment/";
const std::string operations = CAUSEWAY_PROJECT_DIR "/docs/operations.md";
const std::string alert_tests = CAUSEWAY_PROJECT_DIR "/tests/integration/alerts_test.yml";

// Runs a command of the shell's; gives its status.
int run_command(const std::string& command)
{
    return std::system(command.c_str()); // NOLINT(cert-env33-c,concurrency-mt-unsafe)
}

boost::test_tools::assertion_result where_prometheus_is_installed(boost::unit_test::test_unit_id /*test*/)
{
    const bool installed = run_command("command -v promtool prometheus >/dev/null") == 0;
    if (!installed)
        std::cout << "skipped: prometheus is not installed\n";
    return installed;
}

// What the expression's first group matches in `text`, each once.
std::set<std::string> all_in(const std::string& text, const char* expression)
{
    const std::regex pattern(expression);
    std::set<std::string> found;
    for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match)
        found.insert((*match)[1]);
    return found;
}

std::set<std::string> names_of_alerts() { return all_in(text_of(deployment + "alerts.yml"), "- alert: (\\w+)"); }

// A bridge with every metric that it can have.
struct running_bridge {
    std::string metrics()
    {
        connection client(causeway.admin_port());
        client.send("GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n");
        return receive_answer(client).body;
    }

    // A request, so that there are answers to count.
    void ask()
    {
        process curl("/usr/bin/curl", {"--silent", "--cacert", root.certificate(), "--connect-to", "::127.0.0.1:",
                                       "https://localhost:" + std::to_string(causeway.port()) + "/?statusCode=404"});
        BOOST_TEST(curl.wait() == 0);
    }

    authority root{"Test Root"};
    identity own = root.issue("DNS:localhost");
    code_server_process code_server{on_a_free_port};
    causeway_process causeway{
        in_front_of({code_server.address()}, {"--admin=127.0.0.1:0", "--tls-certificate=" + own.certificate,
                                              "--tls-private-key=" + own.private_key})};
};

bool is_metric(std::string name, const std::string& metrics)
{
    const auto exists = [&](const std::string& line) { return boost::contains(metrics, "# TYPE " + line); };
    if (exists(name + ' '))
        return true;
    for (const std::string part : {"_bucket", "_sum", "_count"})
        if (boost::ends_with(name, part) && exists(name.substr(0, name.size() - part.size()) + " histogram"))
            return true;
    return false;
}

json::object dashboard() { return json::parse(text_of(deployment + "grafana-dashboard.json")).as_object(); }

std::vector<json::object> panels_with_queries()
{
    std::vector<json::object> panels;
    const auto all = dashboard();
    for (const auto& panel : all.at("panels").as_array())
        if (panel.at("type") != "row")
            panels.push_back(panel.as_object());
    return panels;
}

// All queries, with values in place of Grafana's variables.
words queries_of_dashboard(const std::string& job, const std::string& interval)
{
    words queries;
    for (const auto& panel : panels_with_queries())
        for (const auto& target : panel.at("targets").as_array()) {
            auto query = json::value_to<std::string>(target.at("expr"));
            boost::replace_all(query, "$job", job);
            boost::replace_all(query, "$instance", ".*");
            boost::replace_all(query, "$__rate_interval", interval);
            queries.push_back(query);
        }
    return queries;
}

// Prometheus with the configuration that is shipped, in which the addresses are replaced, and the times are shorter.
class monitoring {
public:
    explicit monitoring(std::uint16_t admin_port)
    {
        auto text = text_of(deployment + "prometheus.yml");
        for (const auto& [what, by] :
             {std::pair<std::string, std::string>{"192.0.2.11:8091", "127.0.0.1:" + std::to_string(admin_port)},
              {"          - 192.0.2.12:8091\n          - 192.0.2.13:8091\n", ""},
              {"scrape_interval: 15s", "scrape_interval: 500ms"},
              {"evaluation_interval: 15s", "evaluation_interval: 500ms"},
              {"scrape_timeout: 5s", "scrape_timeout: 500ms"},
              {"alerts.yml", deployment + "alerts.yml"}}) {
            BOOST_TEST_REQUIRE(boost::contains(text, what));
            boost::replace_all(text, what, by);
        }
        settings_.write(text);
        port_ = listener().port();
        process_.emplace("/usr/bin/prometheus",
                         words{"--config.file=" + settings_.path(), "--storage.tsdb.path=" + data_.path(),
                               "--web.listen-address=" + host_ + ':' + std::to_string(port_)});
        process_->wait_for_line("Server is ready to receive web requests");
    }

    // The data of its answer to a target of its HTTP API.
    json::value ask(const std::string& target) const
    {
        connection client(port_, host_);
        client.send("GET " + target + " HTTP/1.0\r\n\r\n"); // without chunks
        const auto answer = client.receive_rest();
        const auto body = json::parse(answer.substr(answer.find("\r\n\r\n") + 4));
        BOOST_TEST(body.at("status") == "success", target << " " << body);
        return body.at("data");
    }

    std::size_t results_of(const std::string& query) const
    {
        return ask("/api/v1/query?query=" + boost::urls::encode(query, boost::urls::unreserved_chars))
            .at("result")
            .as_array()
            .size();
    }

private:
    // From which nobody connects, so that a port that is free stays free.
    const std::string host_ = "127.0.0.15";
    temporary_file settings_;
    temporary_directory data_;
    std::uint16_t port_ = 0;
    std::optional<process> process_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(dashboards, *boost::unit_test::precondition(where_prometheus_is_installed))

BOOST_AUTO_TEST_CASE(promtool_is_content_with_the_alerts_and_the_configuration)
{
    BOOST_TEST(run_command("promtool check rules " + deployment + "alerts.yml") == 0);
    BOOST_TEST(run_command("promtool check config " + deployment + "prometheus.yml") == 0);
}

BOOST_AUTO_TEST_CASE(each_alert_fires_when_it_should_and_not_before)
{
    BOOST_TEST(run_command("promtool test rules " + alert_tests) == 0);
    const auto tests = text_of(alert_tests);
    for (const auto& alert : names_of_alerts()) {
        const auto begin = tests.find("  - name: " + alert + "\n");
        BOOST_TEST_REQUIRE(begin != std::string::npos, alert << " has no test");
        const auto test = tests.substr(begin, tests.find("  - name: ", begin + 1) - begin);
        BOOST_TEST(boost::contains(test, "exp_samples: []"), alert << " has no time at which it does not fire");
        BOOST_TEST(boost::contains(test, "alertname=\"" + alert + '"'), alert << " has no time at which it fires");
    }
}

BOOST_AUTO_TEST_CASE(each_alert_says_what_to_do_and_where_to_read_on)
{
    const auto alerts = text_of(deployment + "alerts.yml");
    const auto help = text_of(operations);
    std::size_t begin = alerts.find("- alert: ");
    while (begin != std::string::npos) {
        const auto end = alerts.find("- alert: ", begin + 1);
        const auto alert = alerts.substr(begin, end - begin);
        begin = end;
        BOOST_TEST_CONTEXT(alert)
        {
            BOOST_TEST(boost::contains(alert, "summary: "));
            BOOST_TEST(boost::contains(alert, "description: "));
            const auto places = all_in(alert, "docs/operations\\.md,\\s+(\\w+)");
            BOOST_TEST(places.size() == 1U);
            for (const auto& place : places)
                BOOST_TEST(boost::contains(help, place));
        }
    }
}

BOOST_FIXTURE_TEST_CASE(every_metric_and_every_label_of_the_dashboard_and_the_alerts_exists, running_bridge)
{
    const auto exists = metrics();
    const auto used = text_of(deployment + "grafana-dashboard.json") + text_of(deployment + "alerts.yml");
    for (const auto& name : all_in(used, "\\b((?:causeway|process)_[a-z_]+)"))
        BOOST_TEST(is_metric(name, exists), name << " is no metric");
    for (const std::string label : {"outcome", "state", "reason", "result"})
        for (const auto& values : all_in(used, ("\\b" + label + R"([=!~]+\\?"([a-z_|]+))").c_str())) {
            words each;
            boost::split(each, values, boost::is_any_of("|"));
            for (const auto& value : each)
                BOOST_TEST(boost::contains(exists, label + "=\"" + value + '"'), label << " is never " << value);
        }
}

BOOST_FIXTURE_TEST_CASE(the_dashboard_shows_every_metric, running_bridge)
{
    const auto shown = text_of(deployment + "grafana-dashboard.json");
    auto hidden = all_in(metrics(), "# TYPE (\\w+) ");
    std::erase_if(hidden, [&](const std::string& name) { return boost::contains(shown, name); });
    // The time of the last good reload matters only together with the log; the address space means nothing.
    const std::set<std::string> useless{"causeway_last_reload_success_time_seconds", "process_virtual_memory_bytes"};
    BOOST_TEST(hidden == useless, boost::test_tools::per_element());
}

// What Grafana requires of an imported dashboard: a data source that is chosen during the import, panels with distinct
// ids that do not overlap, and no undefined variable.
BOOST_AUTO_TEST_CASE(the_dashboard_can_be_imported)
{
    const auto all = dashboard();
    BOOST_TEST(all.at("__inputs").at(0).at("name") == "DS_PROMETHEUS");
    std::set<std::string> variables{"$__rate_interval", "${DS_PROMETHEUS"};
    for (const auto& variable : all.at("templating").at("list").as_array())
        variables.insert('$' + json::value_to<std::string>(variable.at("name")));
    for (const auto& used : all_in(json::serialize(all), "(\\$\\{?\\w+)"))
        BOOST_TEST(variables.contains(used), used << " is not declared");

    std::set<std::int64_t> ids;
    std::set<std::pair<std::int64_t, std::int64_t>> taken;
    for (const auto& panel : all.at("panels").as_array())
        BOOST_TEST_CONTEXT(panel.at("title"))
        {
            BOOST_TEST(ids.insert(panel.at("id").as_int64()).second);
            const auto& at = panel.at("gridPos");
            BOOST_TEST(at.at("x").as_int64() + at.at("w").as_int64() <= 24);
            for (auto x = at.at("x").as_int64(); x != at.at("x").as_int64() + at.at("w").as_int64(); ++x)
                for (auto y = at.at("y").as_int64(); y != at.at("y").as_int64() + at.at("h").as_int64(); ++y)
                    BOOST_TEST_REQUIRE(taken.insert({x, y}).second);
        }
    for (const auto& panel : panels_with_queries())
        BOOST_TEST_CONTEXT(panel.at("title"))
        {
            std::set<std::string> references;
            for (const auto& target : panel.at("targets").as_array()) {
                BOOST_TEST(target.at("datasource").at("uid") == "${DS_PROMETHEUS}");
                BOOST_TEST(references.insert(json::value_to<std::string>(target.at("refId"))).second);
            }
            BOOST_TEST(!references.empty());
        }
}

BOOST_FIXTURE_TEST_CASE(prometheus_has_an_answer_to_every_query_of_the_dashboard_and_raises_no_alert, running_bridge)
{
    const monitoring prometheus(causeway.admin_port());
    ask();
    for (const auto& query : queries_of_dashboard("causeway", "5s"))
        BOOST_TEST_CONTEXT(query)
        {
            wait_until([&] { return prometheus.results_of(query) != 0; });
        }
    const auto rules = prometheus.ask("/api/v1/rules");
    for (const auto& group : rules.at("groups").as_array())
        for (const auto& rule : group.at("rules").as_array()) {
            BOOST_TEST(rule.at("health") == "ok", rule);
            const bool is_of_the_test = rule.at("name") == "CausewayCertificateExpires"; // in an hour
            BOOST_TEST((rule.at("state") == "inactive" || is_of_the_test), rule);
        }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
