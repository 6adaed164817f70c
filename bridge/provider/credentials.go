package provider

import (
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	sdk "github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/provider"
)

// findCredentials returns the credentials of the SDK's chain: environment, profile, agency of the machine or pod.
func findCredentials(c Config) (auth.ICredential, error) {
	found, err := sdk.BasicCredentialProviderChain().GetCredentials()
	if err != nil {
		return nil, &Error{Op: "find the provider's credentials", Message: "none are set", cause: err,
			Advice: "set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (and HUAWEICLOUD_SDK_SECURITY_TOKEN with temporary ones), " +
				"or run where an agency provides them"}
	}
	b, ok := found.(*basic.Credentials)
	if !ok {
		return found, nil
	}
	if c.Project != "" {
		b.ProjectId = c.Project
	}
	if c.IAMEndpoint != "" {
		b.IamEndpoint = c.IAMEndpoint
	}
	if c.Endpoint != "" && b.ProjectId == "" {
		return nil, &Error{Op: "open the provider's API", Message: "an endpoint is given but no project",
			Advice: "name the project's id, with --project or HUAWEICLOUD_SDK_PROJECT_ID"}
	}
	return b, nil
}
