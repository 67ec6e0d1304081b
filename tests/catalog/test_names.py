from catalog.names import key_name, table_name


def test_a_service_is_made_safe_for_a_key() -> None:
    assert key_name("API Gateway/v2=x") == "api-gateway-v2-x"
    assert key_name("../../etc") == "etc"
    assert key_name("") == "unknown"


def test_no_service_takes_a_curated_table() -> None:
    assert key_name("Logs") == "service-logs"
    assert key_name("log-minutes") == "service-log-minutes"


def test_a_folder_becomes_a_table_as_the_crawler_names_it() -> None:
    assert table_name("api-gateway") == "api_gateway"
