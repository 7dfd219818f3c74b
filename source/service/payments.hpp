// ISO 8583 as the options configure it, for the bridge and for the emulated host.
#pragma once

#include "backend/iso8583_responder.hpp"
#include "protocols/iso8583/dialect.hpp"
#include "protocols/iso8583/protocol.hpp"
#include "service/settings.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace causeway::service {

/// The built-in dialect of this name, or the one that this file describes. Throws `std::runtime_error` that says what
/// is wrong, with the line of the file.
iso8583::dialect dialect_of(const std::string& name_or_file);

/// The settings that the options describe. Throws as `dialect_of` does, and also when the dialect cannot express the
/// bridge's own messages.
iso8583::settings payments_in(const iso8583_settings& options);

/// The same for an emulated host.
backend::host_settings host_settings_in(const iso8583_wire& options);

/// A purchase to try the bridge with, as JSON, made at `now`; empty when the dialect cannot express it.
std::string example_of_a_purchase(const iso8583::settings& payments, std::chrono::system_clock::time_point now);

} // namespace causeway::service
